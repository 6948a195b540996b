-- Timetables of Tamil Nadu, services 201 to 214: from Chennai, and from Bengaluru to the south.
--
-- Services with odd numbers are outward journeys, and the next even number is the return. A line of a timetable
-- is: place | arrives | departs | km | fare (api.add_service in 22_add_service.sql). An existing service is not
-- changed.
--
-- The times and fares are invented, and modelled on real services. The operators publish the real ones
-- (TNSTC and SETC: tnstc.in).
-- The distances are those of the road (NH 48, NH 32/38, NH 79/544, NH 44), within a few km.

-- Chennai and Bengaluru by day.
SELECT api.add_service(
    bus_id => 201, name => 'Ultra Deluxe', operator => 'SETC',
    bus_type => 'SEMI_SLEEPER', ac => false, layout => '2+2 pushback 41', runs_on => 'daily',
    stops => $$
        Chennai       | -     | 08:15 |   0 |   0
        Sriperumbudur | 09:10 | 09:12 |  40 |  55
        Kanchipuram   | 09:50 | 09:55 |  72 | 100
        Vellore       | 11:15 | 11:20 | 138 | 195
        Ambur         | 12:20 | 12:22 | 186 | 260
        Vaniyambadi   | 12:40 | 13:00 | 203 | 285
        Krishnagiri   | 14:05 | 14:10 | 257 | 360
        Hosur         | 15:10 | 15:15 | 308 | 430
        Bengaluru     | 16:10 | -     | 348 | 485
    $$);

SELECT api.add_service(
    bus_id => 202, name => 'Ultra Deluxe', operator => 'SETC',
    bus_type => 'SEMI_SLEEPER', ac => false, layout => '2+2 pushback 41', runs_on => 'daily',
    stops => $$
        Bengaluru     | -     | 09:00 |   0 |   0
        Hosur         | 10:00 | 10:05 |  40 |  55
        Krishnagiri   | 11:10 | 11:15 |  91 | 125
        Vaniyambadi   | 12:20 | 12:40 | 145 | 205
        Ambur         | 13:00 | 13:02 | 162 | 225
        Vellore       | 14:00 | 14:05 | 210 | 295
        Kanchipuram   | 15:25 | 15:30 | 276 | 385
        Sriperumbudur | 16:10 | 16:12 | 308 | 430
        Chennai       | 17:10 | -     | 348 | 485
    $$);

-- Chennai and Bengaluru by night, around the weekend: a berth on each side of the aisle.
SELECT api.add_service(
    bus_id => 203, name => 'Coromandel Suite', operator => 'Coromandel Coachlines',
    bus_type => 'SLEEPER', ac => true, layout => '1+1 luxury sleeper 24', runs_on => 'Thu Fri Sat Sun',
    stops => $$
        Chennai       | -     | 23:00 |   0 |    0
        Sriperumbudur | 23:50 | 23:55 |  40 |  120
        Vellore       | 01:35 | 01:40 | 138 |  410
        Krishnagiri   | 03:45 | 03:55 | 257 |  770
        Hosur         | 04:50 | 04:55 | 308 |  920
        Bengaluru     | 05:45 | -     | 348 | 1040
    $$);

SELECT api.add_service(
    bus_id => 204, name => 'Coromandel Suite', operator => 'Coromandel Coachlines',
    bus_type => 'SLEEPER', ac => true, layout => '1+1 luxury sleeper 24', runs_on => 'Fri Sat Sun Mon',
    stops => $$
        Bengaluru     | -     | 23:15 |   0 |    0
        Hosur         | 00:05 | 00:10 |  40 |  120
        Krishnagiri   | 01:05 | 01:15 |  91 |  270
        Vellore       | 03:20 | 03:25 | 210 |  630
        Sriperumbudur | 05:10 | 05:15 | 308 |  920
        Chennai       | 06:05 | -     | 348 | 1040
    $$);

-- Overnight to Madurai: seats below, berths above.
SELECT api.add_service(
    bus_id => 205, name => 'Sleeper cum Seater', operator => 'SETC',
    bus_type => 'SEMI_SLEEPER', ac => false, layout => '2+1 seater sleeper 45', runs_on => 'daily',
    stops => $$
        Chennai         | -     | 21:30 |   0 |   0
        Tambaram        | 22:30 | 22:40 |  28 |  40
        Chengalpattu    | 23:10 | 23:12 |  56 |  85
        Tindivanam      | 00:25 | 00:27 | 122 | 185
        Villupuram      | 01:05 | 01:25 | 160 | 240
        Perambalur      | 03:25 | 03:27 | 268 | 400
        Tiruchirappalli | 04:30 | 04:40 | 328 | 490
        Melur           | 06:40 | 06:42 | 436 | 655
        Madurai         | 07:10 | -     | 464 | 695
    $$);

SELECT api.add_service(
    bus_id => 206, name => 'Sleeper cum Seater', operator => 'SETC',
    bus_type => 'SEMI_SLEEPER', ac => false, layout => '2+1 seater sleeper 45', runs_on => 'daily',
    stops => $$
        Madurai         | -     | 21:00 |   0 |   0
        Melur           | 21:30 | 21:32 |  28 |  40
        Tiruchirappalli | 23:35 | 23:45 | 136 | 205
        Perambalur      | 00:55 | 00:57 | 196 | 295
        Villupuram      | 03:00 | 03:20 | 304 | 455
        Tindivanam      | 04:05 | 04:07 | 342 | 515
        Chengalpattu    | 05:20 | 05:22 | 408 | 610
        Tambaram        | 05:50 | 06:00 | 436 | 655
        Chennai         | 07:00 | -     | 464 | 695
    $$);

-- Overnight to Coimbatore, through Salem.
SELECT api.add_service(
    bus_id => 207, name => 'Blue Nilgiri Sleeper', operator => 'Blue Nilgiri Travels',
    bus_type => 'SLEEPER', ac => true, layout => '2+1 sleeper 30', runs_on => 'daily',
    stops => $$
        Chennai      | -     | 20:45 |   0 |    0
        Tindivanam   | 23:15 | 23:20 | 122 |  290
        Villupuram   | 00:00 | 00:02 | 160 |  380
        Kallakurichi | 01:20 | 01:40 | 238 |  570
        Attur        | 02:35 | 02:37 | 290 |  700
        Salem        | 03:30 | 03:40 | 342 |  820
        Sankagiri    | 04:20 | 04:22 | 380 |  910
        Perundurai   | 05:10 | 05:12 | 428 | 1030
        Avinashi     | 05:50 | 05:52 | 466 | 1120
        Coimbatore   | 06:30 | -     | 507 | 1220
    $$);

SELECT api.add_service(
    bus_id => 208, name => 'Blue Nilgiri Sleeper', operator => 'Blue Nilgiri Travels',
    bus_type => 'SLEEPER', ac => true, layout => '2+1 sleeper 30', runs_on => 'daily',
    stops => $$
        Coimbatore   | -     | 21:00 |   0 |    0
        Avinashi     | 21:45 | 21:47 |  41 |  100
        Perundurai   | 22:25 | 22:27 |  79 |  190
        Sankagiri    | 23:15 | 23:17 | 127 |  300
        Salem        | 23:55 | 00:05 | 165 |  400
        Attur        | 01:00 | 01:02 | 217 |  520
        Kallakurichi | 01:55 | 02:15 | 269 |  650
        Villupuram   | 03:40 | 03:42 | 347 |  830
        Tindivanam   | 04:20 | 04:25 | 385 |  920
        Chennai      | 07:00 | -     | 507 | 1220
    $$);

-- Bengaluru to Coimbatore by day, with two seats and one seat beside the aisle.
SELECT api.add_service(
    bus_id => 209, name => 'Blue Nilgiri Day Club', operator => 'Blue Nilgiri Travels',
    bus_type => 'SEMI_SLEEPER', ac => true, layout => '2+1 luxury 31', runs_on => 'daily',
    stops => $$
        Bengaluru   | -     | 06:30 |   0 |   0
        Hosur       | 07:20 | 07:25 |  40 |  90
        Krishnagiri | 08:20 | 08:22 |  91 | 200
        Dharmapuri  | 09:10 | 09:12 | 138 | 300
        Salem       | 10:15 | 10:35 | 203 | 450
        Perundurai  | 12:05 | 12:07 | 289 | 640
        Avinashi    | 12:45 | 12:47 | 327 | 720
        Coimbatore  | 13:25 | -     | 368 | 810
    $$);

SELECT api.add_service(
    bus_id => 210, name => 'Blue Nilgiri Day Club', operator => 'Blue Nilgiri Travels',
    bus_type => 'SEMI_SLEEPER', ac => true, layout => '2+1 luxury 31', runs_on => 'daily',
    stops => $$
        Coimbatore  | -     | 14:00 |   0 |   0
        Avinashi    | 14:45 | 14:47 |  41 |  90
        Perundurai  | 15:25 | 15:27 |  79 | 170
        Salem       | 16:55 | 17:15 | 165 | 360
        Dharmapuri  | 18:25 | 18:27 | 230 | 510
        Krishnagiri | 19:15 | 19:17 | 277 | 610
        Hosur       | 20:10 | 20:15 | 328 | 720
        Bengaluru   | 21:05 | -     | 368 | 810
    $$);

-- The longest route, with fourteen stops, to the southern end of the country.
SELECT api.add_service(
    bus_id => 211, name => 'AC Sleeper cum Seater', operator => 'SETC',
    bus_type => 'SEMI_SLEEPER', ac => true, layout => '2+1 seater sleeper 40', runs_on => 'daily',
    stops => $$
        Bengaluru    | -     | 18:00 |   0 |    0
        Hosur        | 18:50 | 18:55 |  40 |   85
        Krishnagiri  | 19:50 | 19:52 |  91 |  190
        Dharmapuri   | 20:40 | 20:42 | 138 |  290
        Salem        | 21:50 | 22:15 | 203 |  425
        Namakkal     | 23:15 | 23:17 | 257 |  540
        Karur        | 00:00 | 00:05 | 300 |  630
        Dindigul     | 01:25 | 01:30 | 375 |  790
        Madurai      | 02:40 | 02:50 | 439 |  920
        Virudhunagar | 03:45 | 03:47 | 489 | 1025
        Kovilpatti   | 04:35 | 04:37 | 538 | 1130
        Tirunelveli  | 05:40 | 05:45 | 597 | 1255
        Nagercoil    | 07:15 | 07:20 | 680 | 1430
        Kanyakumari  | 07:55 | -     | 700 | 1470
    $$);

SELECT api.add_service(
    bus_id => 212, name => 'AC Sleeper cum Seater', operator => 'SETC',
    bus_type => 'SEMI_SLEEPER', ac => true, layout => '2+1 seater sleeper 40', runs_on => 'daily',
    stops => $$
        Kanyakumari  | -     | 17:00 |   0 |    0
        Nagercoil    | 17:35 | 17:40 |  20 |   40
        Tirunelveli  | 19:10 | 19:15 | 103 |  215
        Kovilpatti   | 20:20 | 20:22 | 162 |  340
        Virudhunagar | 21:15 | 21:17 | 211 |  445
        Madurai      | 22:10 | 22:20 | 261 |  550
        Dindigul     | 23:30 | 23:35 | 325 |  680
        Karur        | 01:00 | 01:05 | 400 |  840
        Namakkal     | 01:50 | 01:52 | 443 |  930
        Salem        | 02:50 | 03:15 | 497 | 1045
        Dharmapuri   | 04:25 | 04:27 | 562 | 1180
        Krishnagiri  | 05:15 | 05:17 | 609 | 1280
        Hosur        | 06:10 | 06:15 | 660 | 1385
        Bengaluru    | 07:05 | -     | 700 | 1470
    $$);

-- Down the coast road to Puducherry and Chidambaram.
SELECT api.add_service(
    bus_id => 213, name => 'Coast Express', operator => 'TNSTC',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 43', runs_on => 'daily',
    stops => $$
        Chennai      | -     | 06:00 |   0 |   0
        Mamallapuram | 07:30 | 07:32 |  57 |  65
        Kalpakkam    | 07:50 | 07:52 |  70 |  75
        Marakkanam   | 08:55 | 08:57 | 118 | 130
        Puducherry   | 09:45 | 10:00 | 153 | 170
        Cuddalore    | 10:30 | 10:35 | 176 | 195
        Chidambaram  | 11:35 | -     | 221 | 245
    $$);

SELECT api.add_service(
    bus_id => 214, name => 'Coast Express', operator => 'TNSTC',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 43', runs_on => 'daily',
    stops => $$
        Chidambaram  | -     | 14:15 |   0 |   0
        Cuddalore    | 15:20 | 15:25 |  45 |  50
        Puducherry   | 15:55 | 16:10 |  68 |  75
        Marakkanam   | 17:00 | 17:02 | 103 | 115
        Kalpakkam    | 18:05 | 18:07 | 151 | 165
        Mamallapuram | 18:25 | 18:27 | 164 | 180
        Chennai      | 20:00 | -     | 221 | 245
    $$);
