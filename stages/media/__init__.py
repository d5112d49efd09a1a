"""Files: opened safely, what they hold, and their frames with exact timestamps."""
