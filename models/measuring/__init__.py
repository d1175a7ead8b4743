"""What only whoever makes models measures: events on annotated scenes, and taught sounds judged source by source."""
