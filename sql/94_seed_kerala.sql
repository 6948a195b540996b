-- Timetables of Kerala, services 301 to 310: from Bengaluru, along the coast, and to Madurai.
--
-- Services with odd numbers are outward journeys, and the next even number is the return. A line of a timetable
-- is: place | arrives | departs | km | fare (api.add_service in 22_add_service.sql). An existing service is not
-- changed.
--
-- The times and fares are invented, and modelled on real services. The operators publish the real ones
-- (Kerala RTC: keralartc.com).
-- The distances are those of the road (NH 44/544, NH 766, NH 66, NH 183), within a few km.

-- Overnight to Kochi, through Salem and the Palakkad gap.
SELECT api.add_service(
    bus_id => 301, name => 'Garuda Maharaja', operator => 'Kerala RTC',
    bus_type => 'SEMI_SLEEPER', ac => true, layout => '2+2 pushback 45', runs_on => 'daily',
    stops => $$
        Bengaluru   | -     | 19:30 |   0 |    0
        Hosur       | 20:20 | 20:25 |  40 |   80
        Krishnagiri | 21:20 | 21:22 |  91 |  180
        Salem       | 23:20 | 23:40 | 203 |  405
        Coimbatore  | 02:35 | 02:45 | 368 |  735
        Palakkad    | 03:40 | 03:45 | 421 |  840
        Thrissur    | 04:55 | 05:00 | 487 |  975
        Angamaly    | 05:45 | 05:47 | 532 | 1065
        Kochi       | 06:20 | -     | 563 | 1125
    $$);

SELECT api.add_service(
    bus_id => 302, name => 'Garuda Maharaja', operator => 'Kerala RTC',
    bus_type => 'SEMI_SLEEPER', ac => true, layout => '2+2 pushback 45', runs_on => 'daily',
    stops => $$
        Kochi       | -     | 19:00 |   0 |    0
        Angamaly    | 19:35 | 19:37 |  31 |   60
        Thrissur    | 20:25 | 20:30 |  76 |  150
        Palakkad    | 21:40 | 21:45 | 142 |  285
        Coimbatore  | 22:45 | 22:55 | 195 |  390
        Salem       | 01:55 | 02:15 | 360 |  720
        Krishnagiri | 04:15 | 04:17 | 472 |  945
        Hosur       | 05:10 | 05:15 | 523 | 1045
        Bengaluru   | 06:05 | -     | 563 | 1125
    $$);

-- To Kozhikode by day, since the forest road to Wayanad is closed at night.
SELECT api.add_service(
    bus_id => 303, name => 'Super Deluxe', operator => 'Kerala RTC',
    bus_type => 'SEMI_SLEEPER', ac => false, layout => '2+2 pushback 41', runs_on => 'daily',
    stops => $$
        Bengaluru       | -     | 08:00 |   0 |   0
        Ramanagara      | 09:15 | 09:17 |  50 |  75
        Mandya          | 10:20 | 10:22 | 100 | 150
        Mysuru          | 11:15 | 11:35 | 145 | 220
        Gundlupet       | 12:50 | 12:55 | 205 | 310
        Sulthan Bathery | 14:15 | 14:20 | 258 | 385
        Kalpetta        | 15:00 | 15:05 | 283 | 425
        Thamarassery    | 16:30 | 16:32 | 325 | 490
        Kozhikode       | 17:20 | -     | 356 | 535
    $$);

SELECT api.add_service(
    bus_id => 304, name => 'Super Deluxe', operator => 'Kerala RTC',
    bus_type => 'SEMI_SLEEPER', ac => false, layout => '2+2 pushback 41', runs_on => 'daily',
    stops => $$
        Kozhikode       | -     | 07:30 |   0 |   0
        Thamarassery    | 08:20 | 08:22 |  31 |  45
        Kalpetta        | 09:45 | 09:50 |  73 | 110
        Sulthan Bathery | 10:30 | 10:35 |  98 | 145
        Gundlupet       | 11:55 | 12:00 | 151 | 225
        Mysuru          | 13:20 | 13:40 | 211 | 315
        Mandya          | 14:40 | 14:42 | 256 | 385
        Ramanagara      | 15:45 | 15:47 | 306 | 460
        Bengaluru       | 17:00 | -     | 356 | 535
    $$);

-- Along the whole coast in one day.
SELECT api.add_service(
    bus_id => 305, name => 'Super Fast', operator => 'Kerala RTC',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 43', runs_on => 'daily',
    stops => $$
        Thiruvananthapuram | -     | 05:45 |   0 |   0
        Kollam             | 07:20 | 07:25 |  66 |  75
        Kayamkulam         | 08:20 | 08:22 | 106 | 120
        Alappuzha          | 09:25 | 09:30 | 152 | 175
        Cherthala          | 10:05 | 10:07 | 175 | 200
        Kochi              | 10:50 | 11:10 | 206 | 235
        Angamaly           | 12:05 | 12:07 | 237 | 275
        Thrissur           | 13:10 | 13:20 | 282 | 325
        Kunnamkulam        | 13:55 | 13:57 | 306 | 350
        Edappal            | 14:25 | 14:27 | 328 | 375
        Kottakkal          | 15:15 | 15:17 | 362 | 415
        Kozhikode          | 16:20 | -     | 400 | 460
    $$);

SELECT api.add_service(
    bus_id => 306, name => 'Super Fast', operator => 'Kerala RTC',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 43', runs_on => 'daily',
    stops => $$
        Kozhikode          | -     | 06:15 |   0 |   0
        Kottakkal          | 07:20 | 07:22 |  38 |  45
        Edappal            | 08:10 | 08:12 |  72 |  85
        Kunnamkulam        | 08:40 | 08:42 |  94 | 110
        Thrissur           | 09:15 | 09:25 | 118 | 135
        Angamaly           | 10:30 | 10:32 | 163 | 185
        Kochi              | 11:25 | 11:45 | 194 | 225
        Cherthala          | 12:30 | 12:32 | 225 | 260
        Alappuzha          | 13:05 | 13:10 | 248 | 285
        Kayamkulam         | 14:20 | 14:22 | 294 | 340
        Kollam             | 15:20 | 15:25 | 334 | 385
        Thiruvananthapuram | 17:00 | -     | 400 | 460
    $$);

-- Over the Cardamom Hills to Madurai.
SELECT api.add_service(
    bus_id => 307, name => 'Ghat Express', operator => 'TNSTC',
    bus_type => 'SEATER', ac => false, layout => '3+2 ordinary 54', runs_on => 'daily',
    stops => $$
        Kochi         | -     | 07:15 |   0 |   0
        Kottayam      | 09:05 | 09:15 |  64 |  65
        Kanjirappally | 10:20 | 10:22 | 102 | 100
        Mundakayam    | 10:40 | 10:42 | 115 | 115
        Kumily        | 12:40 | 13:00 | 172 | 170
        Cumbum        | 13:45 | 13:47 | 195 | 195
        Theni         | 14:40 | 14:45 | 232 | 230
        Usilampatti   | 15:40 | 15:42 | 270 | 270
        Madurai       | 16:40 | -     | 308 | 310
    $$);

SELECT api.add_service(
    bus_id => 308, name => 'Ghat Express', operator => 'TNSTC',
    bus_type => 'SEATER', ac => false, layout => '3+2 ordinary 54', runs_on => 'daily',
    stops => $$
        Madurai       | -     | 07:45 |   0 |   0
        Usilampatti   | 08:45 | 08:47 |  38 |  40
        Theni         | 09:45 | 09:50 |  76 |  75
        Cumbum        | 10:45 | 10:47 | 113 | 115
        Kumily        | 11:30 | 11:50 | 136 | 135
        Mundakayam    | 13:50 | 13:52 | 193 | 195
        Kanjirappally | 14:10 | 14:12 | 206 | 205
        Kottayam      | 15:15 | 15:25 | 244 | 245
        Kochi         | 17:15 | -     | 308 | 310
    $$);

-- Overnight to Thiruvananthapuram.
SELECT api.add_service(
    bus_id => 309, name => 'Malabar Night Line', operator => 'Malabar Starways',
    bus_type => 'SLEEPER', ac => true, layout => '2+1 sleeper 30', runs_on => 'daily',
    stops => $$
        Bengaluru          | -     | 17:00 |   0 |    0
        Hosur              | 17:50 | 17:55 |  40 |  100
        Krishnagiri        | 18:45 | 18:47 |  91 |  230
        Salem              | 20:40 | 21:05 | 203 |  510
        Coimbatore         | 23:55 | 00:05 | 368 |  920
        Palakkad           | 01:00 | 01:02 | 421 | 1050
        Thrissur           | 02:05 | 02:10 | 487 | 1220
        Kochi              | 03:25 | 03:35 | 563 | 1410
        Alappuzha          | 04:50 | 04:55 | 617 | 1540
        Kollam             | 06:45 | 06:50 | 703 | 1760
        Thiruvananthapuram | 08:25 | -     | 769 | 1920
    $$);

SELECT api.add_service(
    bus_id => 310, name => 'Malabar Night Line', operator => 'Malabar Starways',
    bus_type => 'SLEEPER', ac => true, layout => '2+1 sleeper 30', runs_on => 'daily',
    stops => $$
        Thiruvananthapuram | -     | 16:30 |   0 |    0
        Kollam             | 18:05 | 18:10 |  66 |  160
        Alappuzha          | 20:00 | 20:05 | 152 |  380
        Kochi              | 21:20 | 21:30 | 206 |  520
        Thrissur           | 22:50 | 22:55 | 282 |  700
        Palakkad           | 00:05 | 00:07 | 348 |  870
        Coimbatore         | 01:00 | 01:10 | 401 | 1000
        Salem              | 04:05 | 04:30 | 566 | 1420
        Krishnagiri        | 06:25 | 06:27 | 678 | 1700
        Hosur              | 07:20 | 07:25 | 729 | 1820
        Bengaluru          | 08:15 | -     | 769 | 1920
    $$);
