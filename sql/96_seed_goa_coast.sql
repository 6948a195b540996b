-- Timetables of Goa and the west coast, services 501 to 508: from Bengaluru to the sea.
--
-- Services with odd numbers are outward journeys, and the next even number is the return. A line of a timetable
-- is: place | arrives | departs | km | fare (api.add_service in 22_add_service.sql). An existing service is not
-- changed. Panaji, Mapusa, Margao and three more places are part of Goa: a search for "Goa" finds services that
-- stop at any of them.
--
-- The times and fares are invented, and modelled on real services. The operators publish the real ones
-- (Kadamba: ktclgoa.com, KSRTC: ksrtc.in).
-- The distances are those of the road (NH 48, NH 52/66, NH 748, NH 75), within a few km.

-- Overnight to the beaches, down the ghat at Yellapur.
SELECT api.add_service(
    bus_id => 501, name => 'Konkan Moonline', operator => 'Konkan Moonline Travels',
    bus_type => 'SLEEPER', ac => true, layout => '2+1 sleeper 36', runs_on => 'daily',
    stops => $$
        Bengaluru   | -     | 18:30 |   0 |    0
        Tumakuru    | 19:50 | 19:55 |  70 |  180
        Chitradurga | 22:05 | 22:25 | 202 |  500
        Davanagere  | 23:25 | 23:27 | 264 |  660
        Haveri      | 00:40 | 00:42 | 339 |  850
        Hubballi    | 01:50 | 02:00 | 412 | 1030
        Yellapur    | 03:25 | 03:27 | 482 | 1200
        Ankola      | 04:55 | 05:00 | 552 | 1380
        Karwar      | 05:35 | 05:40 | 586 | 1460
        Canacona    | 06:30 | 06:32 | 622 | 1560
        Margao      | 07:30 | 07:35 | 661 | 1650
        Panaji      | 08:25 | 08:35 | 695 | 1740
        Mapusa      | 08:55 | -     | 708 | 1770
    $$);

SELECT api.add_service(
    bus_id => 502, name => 'Konkan Moonline', operator => 'Konkan Moonline Travels',
    bus_type => 'SLEEPER', ac => true, layout => '2+1 sleeper 36', runs_on => 'daily',
    stops => $$
        Mapusa      | -     | 17:30 |   0 |    0
        Panaji      | 17:50 | 18:00 |  13 |   30
        Margao      | 18:50 | 18:55 |  47 |  120
        Canacona    | 19:55 | 19:57 |  86 |  220
        Karwar      | 20:45 | 20:50 | 122 |  300
        Ankola      | 21:25 | 21:30 | 156 |  390
        Yellapur    | 23:00 | 23:02 | 226 |  560
        Hubballi    | 00:25 | 00:35 | 296 |  740
        Haveri      | 01:50 | 01:52 | 369 |  920
        Davanagere  | 03:05 | 03:07 | 444 | 1110
        Chitradurga | 04:10 | 04:30 | 506 | 1260
        Tumakuru    | 06:45 | 06:50 | 638 | 1600
        Bengaluru   | 08:15 | -     | 708 | 1770
    $$);

-- Along the sea from Goa to Mangaluru.
SELECT api.add_service(
    bus_id => 503, name => 'Kadamba Coastal', operator => 'Kadamba',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 43', runs_on => 'daily',
    stops => $$
        Panaji    | -     | 06:00 |   0 |   0
        Margao    | 06:55 | 07:00 |  34 |  40
        Canacona  | 08:00 | 08:02 |  73 |  85
        Karwar    | 08:55 | 09:05 | 109 | 125
        Ankola    | 09:50 | 09:52 | 143 | 165
        Kumta     | 10:30 | 10:32 | 175 | 200
        Honnavar  | 10:55 | 10:57 | 194 | 225
        Bhatkal   | 11:45 | 12:00 | 232 | 265
        Kundapura | 12:55 | 12:57 | 276 | 315
        Udupi     | 13:45 | 13:50 | 314 | 360
        Mangaluru | 15:05 | -     | 371 | 425
    $$);

SELECT api.add_service(
    bus_id => 504, name => 'Kadamba Coastal', operator => 'Kadamba',
    bus_type => 'SEATER', ac => false, layout => '2+2 seater 43', runs_on => 'daily',
    stops => $$
        Mangaluru | -     | 07:00 |   0 |   0
        Udupi     | 08:15 | 08:20 |  57 |  65
        Kundapura | 09:10 | 09:12 |  95 | 110
        Bhatkal   | 10:10 | 10:25 | 139 | 160
        Honnavar  | 11:15 | 11:17 | 177 | 205
        Kumta     | 11:40 | 11:42 | 196 | 225
        Ankola    | 12:25 | 12:27 | 228 | 260
        Karwar    | 13:10 | 13:20 | 262 | 300
        Canacona  | 14:15 | 14:17 | 298 | 345
        Margao    | 15:15 | 15:20 | 337 | 390
        Panaji    | 16:15 | -     | 371 | 425
    $$);

-- Over the ghat to Hubballi, not on Sundays.
SELECT api.add_service(
    bus_id => 505, name => 'Kadamba Ghat', operator => 'Kadamba',
    bus_type => 'SEATER', ac => false, layout => '3+2 ordinary 54', runs_on => 'Mon Tue Wed Thu Fri Sat',
    stops => $$
        Panaji   | -     | 07:30 |   0 |   0
        Ponda    | 08:25 | 08:30 |  30 |  35
        Mollem   | 09:15 | 09:17 |  58 |  65
        Londa    | 10:25 | 10:35 |  94 | 105
        Alnavar  | 11:30 | 11:32 | 134 | 145
        Dharwad  | 12:15 | 12:20 | 166 | 185
        Hubballi | 12:55 | -     | 186 | 205
    $$);

SELECT api.add_service(
    bus_id => 506, name => 'Kadamba Ghat', operator => 'Kadamba',
    bus_type => 'SEATER', ac => false, layout => '3+2 ordinary 54', runs_on => 'Mon Tue Wed Thu Fri Sat',
    stops => $$
        Hubballi | -     | 14:30 |   0 |   0
        Dharwad  | 15:05 | 15:10 |  20 |  20
        Alnavar  | 15:55 | 15:57 |  52 |  55
        Londa    | 16:55 | 17:05 |  92 | 100
        Mollem   | 18:15 | 18:17 | 128 | 140
        Ponda    | 19:00 | 19:05 | 156 | 170
        Panaji   | 20:00 | -     | 186 | 205
    $$);

-- Overnight down Shiradi Ghat to the coast.
SELECT api.add_service(
    bus_id => 507, name => 'Ambaari Dream Class', operator => 'KSRTC',
    bus_type => 'SLEEPER', ac => true, layout => '2+1 sleeper 30', runs_on => 'daily',
    stops => $$
        Bengaluru       | -     | 21:30 |   0 |    0
        Kunigal         | 23:05 | 23:07 |  72 |  165
        Channarayapatna | 00:30 | 00:32 | 147 |  340
        Hassan          | 01:10 | 01:30 | 185 |  425
        Sakleshpur      | 02:20 | 02:22 | 222 |  510
        Uppinangady     | 04:25 | 04:27 | 300 |  690
        Bantwal         | 05:05 | 05:07 | 330 |  760
        Mangaluru       | 05:40 | 05:50 | 354 |  815
        Udupi           | 07:05 | 07:10 | 411 |  945
        Kundapura       | 07:50 | -     | 449 | 1035
    $$);

SELECT api.add_service(
    bus_id => 508, name => 'Ambaari Dream Class', operator => 'KSRTC',
    bus_type => 'SLEEPER', ac => true, layout => '2+1 sleeper 30', runs_on => 'daily',
    stops => $$
        Kundapura       | -     | 19:15 |   0 |    0
        Udupi           | 20:00 | 20:05 |  38 |   85
        Mangaluru       | 21:20 | 21:30 |  95 |  220
        Bantwal         | 22:05 | 22:07 | 119 |  275
        Uppinangady     | 22:45 | 22:47 | 149 |  345
        Sakleshpur      | 00:50 | 00:52 | 227 |  520
        Hassan          | 01:40 | 02:00 | 264 |  605
        Channarayapatna | 02:45 | 02:47 | 302 |  695
        Kunigal         | 04:10 | 04:12 | 377 |  865
        Bengaluru       | 05:45 | -     | 449 | 1035
    $$);
