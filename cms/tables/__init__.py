"""Parts of ``cms.models`` that fill pages of their own: base classes, choices, bookkeeping.

Import everything from ``cms.models``; nothing else looks in here.
"""
