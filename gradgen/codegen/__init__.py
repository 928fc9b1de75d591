"""Loop program -> Python source."""
