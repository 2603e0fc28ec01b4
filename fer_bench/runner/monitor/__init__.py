"""How far a run is: events, state, display, status."""
