"""What makers of models measure: events on annotated scenes, and taught sounds source by source."""
