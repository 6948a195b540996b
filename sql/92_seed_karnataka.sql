-- Timetables of Karnataka, services 101 to 112: Mysuru and Ooty, Hubballi, Shivamogga.
--
-- Services with odd numbers are outward journeys, and the next even number is the return. A line of a timetable
-- is: place | arrives | departs | km | fare (api.add_service in 22_add_service.sql). An existing service is not
-- changed.
--
-- The times and fares are invented, and modelled on real services. The operators publish the real ones
-- (KSRTC: ksrtc.in).
-- The distances are those of the road (NH 275 to Mysuru, NH 48 to Hubballi, NH 69/73 to Shivamogga), within a few km.

-- Bengaluru to Mysuru by day.
SELECT api.add_service(
    bus_id => 101, name => 'Airavat Club Class', operator => 'KSRTC',
    bus_type => 'SEMI_SLEEPER', ac => true, layout => '2+2 pushback 40', runs_on => 'daily',
    stops => $$
        Bengaluru     | -     | 07:00 |   0 |   0
        Ramanagara    | 08:10 | 08:12 |  50 |  90
        Channapatna   | 08:25 | 08:27 |  61 | 110
        Maddur        | 08:50 | 08:52 |  82 | 150
        Mandya        | 09:10 | 09:15 | 100 | 180
        Srirangapatna | 09:45 | 09:47 | 128 | 230
        Mysuru        | 10:05 | -     | 145 | 260
    $$);

SELECT api.add_service(
    bus_id => 102, name => 'Airavat Club Class', operator => 'KSRTC',
    bus_type => 'SEMI_SLEEPER', ac => true, layout => '2+2 pushback 40', runs_on => 'daily',
    stops => $$
        Mysuru        | -     | 14:30 |   0 |   0
        Srirangapatna | 14:50 | 14:52 |  17 |  30
        Mandya        | 15:25 | 15:30 |  45 |  80
        Maddur        | 15:50 | 15:52 |  63 | 115
        Channapatna   | 16:15 | 16:17 |  84 | 150
        Ramanagara    | 16:30 | 16:32 |  95 | 170
        Bengaluru     | 17:40 | -     | 145 | 260
    $$);

-- An evening express that stops in every town, and returns in the early morning.
SELECT api.add_service(
    bus_id => 103, name => 'Karnataka Sarige', operator => 'KSRTC',
    bus_type => 'SEATER', ac => false, layout => '3+2 ordinary 54', runs_on => 'daily',
    stops => $$
        Bengaluru     | -     | 17:45 |   0 |   0
        Bidadi        | 18:35 | 18:37 |  32 |  30
        Ramanagara    | 19:00 | 19:02 |  50 |  50
        Channapatna   | 19:15 | 19:17 |  61 |  60
        Maddur        | 19:45 | 19:55 |  82 |  80
        Mandya        | 20:20 | 20:25 | 100 | 100
        Pandavapura   | 20:55 | 20:57 | 122 | 120
        Srirangapatna | 21:05 | 21:07 | 128 | 130
        Mysuru        | 21:30 | -     | 145 | 145
    $$);

SELECT api.add_service(
    bus_id => 104, name => 'Karnataka Sarige', operator => 'KSRTC',
    bus_type => 'SEATER', ac => false, layout => '3+2 ordinary 54', runs_on => 'daily',
    stops => $$
        Mysuru        | -     | 05:30 |   0 |   0
        Srirangapatna | 05:55 | 05:57 |  17 |  15
        Pandavapura   | 06:05 | 06:07 |  23 |  25
        Mandya        | 06:35 | 06:40 |  45 |  45
        Maddur        | 07:05 | 07:15 |  63 |  65
        Channapatna   | 07:45 | 07:47 |  84 |  85
        Ramanagara    | 08:00 | 08:02 |  95 |  95
        Bidadi        | 08:25 | 08:27 | 113 | 115
        Bengaluru     | 09:20 | -     | 145 | 145
    $$);

-- A bus that leaves before midnight and stops at Mandya after midnight.
SELECT api.add_service(
    bus_id => 105, name => 'Rajahamsa Executive', operator => 'KSRTC',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 39', runs_on => 'daily',
    stops => $$
        Bengaluru     | -     | 22:45 |   0 |   0
        Ramanagara    | 23:55 | 23:57 |  50 |  65
        Maddur        | 00:35 | 00:37 |  82 | 105
        Mandya        | 00:55 | 01:00 | 100 | 130
        Srirangapatna | 01:35 | 01:37 | 128 | 165
        Mysuru        | 01:55 | -     | 145 | 190
    $$);

SELECT api.add_service(
    bus_id => 106, name => 'Rajahamsa Executive', operator => 'KSRTC',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 39', runs_on => 'daily',
    stops => $$
        Mysuru        | -     | 23:15 |   0 |   0
        Srirangapatna | 23:35 | 23:37 |  17 |  20
        Mandya        | 00:10 | 00:15 |  45 |  60
        Maddur        | 00:35 | 00:37 |  63 |  80
        Ramanagara    | 01:15 | 01:17 |  95 | 125
        Bengaluru     | 02:30 | -     | 145 | 190
    $$);

-- Up to Ooty by day, since the forest road through Bandipur is closed at night.
SELECT api.add_service(
    bus_id => 107, name => 'Rajahamsa Executive', operator => 'KSRTC',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 39', runs_on => 'daily',
    stops => $$
        Bengaluru  | -     | 06:15 |   0 |   0
        Ramanagara | 07:30 | 07:32 |  50 |  60
        Mandya     | 08:35 | 08:40 | 100 | 125
        Mysuru     | 09:35 | 09:55 | 145 | 180
        Nanjangud  | 10:25 | 10:27 | 169 | 210
        Gundlupet  | 11:10 | 11:15 | 205 | 255
        Gudalur    | 12:35 | 12:45 | 257 | 320
        Ooty       | 14:35 | -     | 307 | 385
    $$);

SELECT api.add_service(
    bus_id => 108, name => 'Rajahamsa Executive', operator => 'KSRTC',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 39', runs_on => 'daily',
    stops => $$
        Ooty       | -     | 10:00 |   0 |   0
        Gudalur    | 11:50 | 12:00 |  50 |  60
        Gundlupet  | 13:20 | 13:25 | 102 | 130
        Nanjangud  | 14:10 | 14:12 | 138 | 170
        Mysuru     | 14:40 | 15:00 | 162 | 200
        Mandya     | 16:00 | 16:05 | 207 | 260
        Ramanagara | 17:10 | 17:12 | 257 | 320
        Bengaluru  | 18:25 | -     | 307 | 385
    $$);

-- Overnight on NH 48 to the north of the state.
SELECT api.add_service(
    bus_id => 109, name => 'Sahyadri Night Sleeper', operator => 'Sahyadri Coachways',
    bus_type => 'SLEEPER', ac => false, layout => '2+1 sleeper 36', runs_on => 'daily',
    stops => $$
        Bengaluru   | -     | 20:30 |   0 |   0
        Tumakuru    | 22:00 | 22:05 |  70 | 130
        Sira        | 23:00 | 23:02 | 122 | 220
        Hiriyur     | 23:45 | 00:05 | 162 | 290
        Chitradurga | 00:50 | 00:55 | 202 | 360
        Davanagere  | 02:00 | 02:05 | 264 | 480
        Harihara    | 02:20 | 02:22 | 278 | 500
        Ranebennur  | 02:45 | 02:47 | 302 | 540
        Haveri      | 03:25 | 03:27 | 339 | 610
        Hubballi    | 04:45 | 04:55 | 412 | 740
        Dharwad     | 05:25 | 05:30 | 432 | 780
        Belagavi    | 06:50 | -     | 508 | 910
    $$);

SELECT api.add_service(
    bus_id => 110, name => 'Sahyadri Night Sleeper', operator => 'Sahyadri Coachways',
    bus_type => 'SLEEPER', ac => false, layout => '2+1 sleeper 36', runs_on => 'daily',
    stops => $$
        Belagavi    | -     | 19:45 |   0 |   0
        Dharwad     | 21:10 | 21:15 |  76 | 140
        Hubballi    | 21:45 | 21:55 |  96 | 170
        Haveri      | 23:15 | 23:17 | 169 | 300
        Ranebennur  | 23:55 | 23:57 | 206 | 370
        Harihara    | 00:20 | 00:22 | 230 | 410
        Davanagere  | 00:35 | 00:40 | 244 | 440
        Chitradurga | 01:50 | 01:55 | 306 | 550
        Hiriyur     | 02:40 | 03:00 | 346 | 620
        Sira        | 03:45 | 03:47 | 386 | 690
        Tumakuru    | 04:40 | 04:45 | 438 | 790
        Bengaluru   | 06:15 | -     | 508 | 910
    $$);

-- For commuters: weekdays only.
SELECT api.add_service(
    bus_id => 111, name => 'Karnataka Sarige', operator => 'KSRTC',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 43', runs_on => 'Mon Tue Wed Thu Fri',
    stops => $$
        Bengaluru   | -     | 06:30 |   0 |   0
        Tumakuru    | 08:15 | 08:20 |  70 |  75
        Gubbi       | 08:45 | 08:47 |  90 | 100
        Tiptur      | 09:55 | 10:00 | 143 | 155
        Arsikere    | 10:35 | 10:55 | 168 | 185
        Kadur       | 11:45 | 11:47 | 206 | 225
        Tarikere    | 12:25 | 12:27 | 236 | 260
        Bhadravathi | 12:55 | 12:57 | 258 | 285
        Shivamogga  | 13:20 | -     | 276 | 305
    $$);

SELECT api.add_service(
    bus_id => 112, name => 'Karnataka Sarige', operator => 'KSRTC',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 43', runs_on => 'Mon Tue Wed Thu Fri',
    stops => $$
        Shivamogga  | -     | 13:30 |   0 |   0
        Bhadravathi | 13:55 | 13:57 |  18 |  20
        Tarikere    | 14:25 | 14:27 |  40 |  45
        Kadur       | 15:05 | 15:07 |  70 |  75
        Arsikere    | 15:55 | 16:15 | 108 | 120
        Tiptur      | 16:50 | 16:55 | 133 | 145
        Gubbi       | 18:05 | 18:07 | 186 | 205
        Tumakuru    | 18:30 | 18:35 | 206 | 225
        Bengaluru   | 20:25 | -     | 276 | 305
    $$);
