"""The formats of receivers: from an alarm to the body of a message. Texts of models and tasks cannot format, mention or link anything."""
