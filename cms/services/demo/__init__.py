"""Demo data: invented people of the Hisar range, three months of complaints, honest lateness.

people (names, places) -> texts -> staff (officers, postings, accounts) -> life (one complaint) ->
fill (all of them, through the bulk door). The same seed and day give the same register.
"""
