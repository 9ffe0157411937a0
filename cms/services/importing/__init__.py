"""Old registers: a profile (data) says how a stranger's files become complaints; nothing is guessed.

profile -> source (rows) -> spool (sorted on disk) -> records (dossiers) -> run (the bulk door).
"""
