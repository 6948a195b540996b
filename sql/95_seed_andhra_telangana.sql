-- Timetables of Andhra Pradesh and Telangana, services 401 to 412: Hyderabad, Vijayawada, Tirupati.
--
-- Services with odd numbers are outward journeys, and the next even number is the return. A line of a timetable
-- is: place | arrives | departs | km | fare (api.add_service in 22_add_service.sql). An existing service is not
-- changed.
--
-- The times and fares are invented, and modelled on real services. The operators publish the real ones
-- (APSRTC: apsrtconline.in, TGSRTC, formerly TSRTC: tgsrtcbus.in).
-- The distances are those of the road (NH 44, 65, 16, 40, 716 and 75), within a few km.

-- Overnight on NH 44.
SELECT api.add_service(
    bus_id => 401, name => 'Lahari AC Sleeper', operator => 'TGSRTC',
    bus_type => 'SLEEPER', ac => true, layout => '2+1 sleeper 30', runs_on => 'daily',
    stops => $$
        Bengaluru      | -     | 21:00 |   0 |    0
        Chikkaballapur | 22:05 | 22:10 |  58 |  135
        Bagepalli      | 22:50 | 22:52 | 100 |  230
        Penukonda      | 23:30 | 23:32 | 142 |  325
        Anantapur      | 00:40 | 01:00 | 212 |  490
        Gooty          | 01:50 | 01:52 | 264 |  605
        Kurnool        | 03:20 | 03:30 | 358 |  825
        Jadcherla      | 05:35 | 05:37 | 488 | 1120
        Hyderabad      | 07:10 | -     | 571 | 1315
    $$);

SELECT api.add_service(
    bus_id => 402, name => 'Lahari AC Sleeper', operator => 'TGSRTC',
    bus_type => 'SLEEPER', ac => true, layout => '2+1 sleeper 30', runs_on => 'daily',
    stops => $$
        Hyderabad      | -     | 20:30 |   0 |    0
        Jadcherla      | 22:05 | 22:07 |  83 |  190
        Kurnool        | 00:15 | 00:25 | 213 |  490
        Gooty          | 02:00 | 02:02 | 307 |  705
        Anantapur      | 02:50 | 03:10 | 359 |  825
        Penukonda      | 04:20 | 04:22 | 429 |  985
        Bagepalli      | 05:00 | 05:02 | 471 | 1085
        Chikkaballapur | 05:40 | 05:45 | 513 | 1180
        Bengaluru      | 06:55 | -     | 571 | 1315
    $$);

-- Hyderabad and Vijayawada by day, with electric buses.
SELECT api.add_service(
    bus_id => 403, name => 'e-Garuda', operator => 'TGSRTC',
    bus_type => 'SEATER', ac => true, layout => '2+2 pushback 41', runs_on => 'daily',
    stops => $$
        Hyderabad   | -     | 06:30 |   0 |   0
        Choutuppal  | 07:35 | 07:37 |  52 | 100
        Narketpally | 08:10 | 08:12 |  84 | 160
        Nakrekal    | 08:35 | 08:37 | 106 | 200
        Suryapet    | 09:05 | 09:20 | 137 | 260
        Kodad       | 10:05 | 10:07 | 181 | 345
        Nandigama   | 10:50 | 10:52 | 226 | 430
        Vijayawada  | 11:40 | -     | 274 | 520
    $$);

SELECT api.add_service(
    bus_id => 404, name => 'e-Garuda', operator => 'TGSRTC',
    bus_type => 'SEATER', ac => true, layout => '2+2 pushback 41', runs_on => 'daily',
    stops => $$
        Vijayawada  | -     | 15:00 |   0 |   0
        Nandigama   | 15:50 | 15:52 |  48 |  90
        Kodad       | 16:40 | 16:42 |  93 | 175
        Suryapet    | 17:25 | 17:40 | 137 | 260
        Nakrekal    | 18:15 | 18:17 | 168 | 320
        Narketpally | 18:40 | 18:42 | 190 | 360
        Choutuppal  | 19:15 | 19:17 | 222 | 420
        Hyderabad   | 20:20 | -     | 274 | 520
    $$);

-- Overnight down the coast to Chennai.
SELECT api.add_service(
    bus_id => 405, name => 'Amaravati', operator => 'APSRTC',
    bus_type => 'SEMI_SLEEPER', ac => true, layout => '2+2 pushback 45', runs_on => 'daily',
    stops => $$
        Vijayawada     | -     | 21:45 |   0 |   0
        Guntur         | 22:35 | 22:45 |  35 |  70
        Chilakaluripet | 23:25 | 23:27 |  75 | 150
        Ongole         | 00:35 | 00:40 | 147 | 295
        Kavali         | 01:45 | 01:47 | 213 | 425
        Nellore        | 02:40 | 02:50 | 269 | 540
        Gudur          | 03:30 | 03:32 | 307 | 615
        Naidupeta      | 04:00 | 04:02 | 339 | 680
        Sullurpeta     | 04:25 | 04:27 | 362 | 725
        Chennai        | 06:05 | -     | 446 | 890
    $$);

SELECT api.add_service(
    bus_id => 406, name => 'Amaravati', operator => 'APSRTC',
    bus_type => 'SEMI_SLEEPER', ac => true, layout => '2+2 pushback 45', runs_on => 'daily',
    stops => $$
        Chennai        | -     | 22:00 |   0 |   0
        Sullurpeta     | 23:40 | 23:42 |  84 | 170
        Naidupeta      | 00:05 | 00:07 | 107 | 215
        Gudur          | 00:40 | 00:42 | 139 | 280
        Nellore        | 01:20 | 01:30 | 177 | 355
        Kavali         | 02:30 | 02:32 | 233 | 465
        Ongole         | 03:40 | 03:45 | 299 | 600
        Chilakaluripet | 05:00 | 05:02 | 371 | 740
        Guntur         | 05:40 | 05:50 | 411 | 820
        Vijayawada     | 06:40 | -     | 446 | 890
    $$);

-- Pilgrims from Bengaluru to Tirupati.
SELECT api.add_service(
    bus_id => 407, name => 'Super Luxury', operator => 'APSRTC',
    bus_type => 'SEMI_SLEEPER', ac => false, layout => '2+2 pushback 41', runs_on => 'daily',
    stops => $$
        Bengaluru | -     | 09:30 |   0 |   0
        Hoskote   | 10:25 | 10:27 |  27 |  40
        Kolar     | 11:15 | 11:17 |  68 |  95
        Mulbagal  | 11:50 | 11:52 |  97 | 135
        Palamaner | 12:45 | 12:55 | 140 | 195
        Chittoor  | 13:45 | 13:50 | 180 | 250
        Tirupati  | 15:20 | -     | 250 | 350
    $$);

SELECT api.add_service(
    bus_id => 408, name => 'Super Luxury', operator => 'APSRTC',
    bus_type => 'SEMI_SLEEPER', ac => false, layout => '2+2 pushback 41', runs_on => 'daily',
    stops => $$
        Tirupati  | -     | 15:30 |   0 |   0
        Chittoor  | 17:00 | 17:05 |  70 | 100
        Palamaner | 17:55 | 18:05 | 110 | 155
        Mulbagal  | 19:00 | 19:02 | 153 | 215
        Kolar     | 19:35 | 19:37 | 182 | 255
        Hoskote   | 20:30 | 20:32 | 223 | 310
        Bengaluru | 21:25 | -     | 250 | 350
    $$);

-- Pilgrims from Chennai to Tirupati.
SELECT api.add_service(
    bus_id => 409, name => 'Express', operator => 'APSRTC',
    bus_type => 'SEATER', ac => false, layout => '3+2 ordinary 54', runs_on => 'daily',
    stops => $$
        Chennai    | -     | 05:15 |   0 |   0
        Tiruvallur | 06:30 | 06:35 |  46 |  50
        Tiruttani  | 07:30 | 07:35 |  86 |  90
        Nagari     | 07:55 | 07:57 | 100 | 105
        Renigunta  | 08:40 | 08:42 | 130 | 135
        Tirupati   | 08:55 | -     | 140 | 145
    $$);

SELECT api.add_service(
    bus_id => 410, name => 'Express', operator => 'APSRTC',
    bus_type => 'SEATER', ac => false, layout => '3+2 ordinary 54', runs_on => 'daily',
    stops => $$
        Tirupati   | -     | 10:30 |   0 |   0
        Renigunta  | 10:45 | 10:47 |  10 |  10
        Nagari     | 11:30 | 11:32 |  40 |  40
        Tiruttani  | 11:50 | 11:55 |  54 |  55
        Tiruvallur | 12:55 | 13:00 |  94 | 100
        Chennai    | 14:20 | -     | 140 | 145
    $$);

-- Overnight from Hyderabad to Tirupati.
SELECT api.add_service(
    bus_id => 411, name => 'Deccan Night Sleeper', operator => 'Deccan Night Lines',
    bus_type => 'SLEEPER', ac => false, layout => '2+1 sleeper 36', runs_on => 'daily',
    stops => $$
        Hyderabad      | -     | 19:30 |   0 |   0
        Jadcherla      | 21:15 | 21:20 |  83 | 140
        Kurnool        | 23:40 | 00:00 | 213 | 360
        Nandyal        | 01:20 | 01:25 | 285 | 480
        Allagadda      | 02:10 | 02:12 | 327 | 560
        Mydukur        | 02:50 | 02:52 | 365 | 620
        Kadapa         | 03:15 | 03:25 | 389 | 660
        Rajampet       | 04:25 | 04:27 | 444 | 750
        Railway Koduru | 05:00 | 05:02 | 474 | 810
        Renigunta      | 05:55 | 05:57 | 524 | 890
        Tirupati       | 06:10 | -     | 534 | 910
    $$);

SELECT api.add_service(
    bus_id => 412, name => 'Deccan Night Sleeper', operator => 'Deccan Night Lines',
    bus_type => 'SLEEPER', ac => false, layout => '2+1 sleeper 36', runs_on => 'daily',
    stops => $$
        Tirupati       | -     | 18:30 |   0 |   0
        Renigunta      | 18:45 | 18:47 |  10 |  20
        Railway Koduru | 19:40 | 19:42 |  60 | 100
        Rajampet       | 20:15 | 20:17 |  90 | 150
        Kadapa         | 21:15 | 21:25 | 145 | 250
        Mydukur        | 21:50 | 21:52 | 169 | 290
        Allagadda      | 22:35 | 22:37 | 207 | 350
        Nandyal        | 23:20 | 23:25 | 249 | 420
        Kurnool        | 00:45 | 01:05 | 321 | 550
        Jadcherla      | 03:30 | 03:35 | 451 | 770
        Hyderabad      | 05:25 | -     | 534 | 910
    $$);
