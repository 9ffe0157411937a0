"""Use cases: verbs in the police station's words. They take ids, the version the user saw, values;
they re-fetch through ``authz.visible`` inside the door, never commit and never import Flask."""
