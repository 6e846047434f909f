"""The bank test, `make soak`: load, faults from a seed, and an audit of every answer, every charge and every event.

Clients pay, repeat, race, misuse and read (`load`), beside a town (`town`) of people who move money (`people`), a
market (`market`) and visitors (`visitors`), over a house of real processes and servers (`fleet`), with a gateway that
misbehaves in every way at once (`gateway`), while about every ten seconds something is killed, stopped or restarted,
and Redis in between (`faults`). Whatever was answered is kept (`records`, `moves`, `deeds`, `shelf`), whatever was
published is heard (`listener`). In the end the answers are compared with each other (`answers`), with the books, the
gateway's record and the events (`books`, `moved`, `sold`), with what was known when somebody began to read
(`freshness`), and with what is promised of the service's return (`availability`).

What one run hardly shows: an invariant whose breach needs two rare things within a moment. Run it with many seeds.
"""
