"""What alembic needs to run any room's migrations; the steps themselves lie in each room's migrations/versions."""
