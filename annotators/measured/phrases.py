"""Texts such as stand on screens, to be offered beside the one that really does.

Here: the list. Not here: which of them a question takes (`qa_text`).
"""

PHRASES = (
    "Now open", "Sold out", "Act two", "The end", "Part one", "Exit here", "Live now", "Day three", "Next stop",
    "On the road", "Home again", "Late summer", "River walk", "Night train", "Quiet please", "Lost at sea",
    "First snow", "Gone fishing", "Keep moving", "Market hall", "Winter tales", "Open kitchen", "Golden hour",
    "Paper planes", "City of glass", "Two weeks later", "Meanwhile, abroad", "Follow the river", "Made by hand",
    "The old lighthouse", "Letters from home", "A walk in the park", "Behind the scenes", "Mind the platform gap",
    "Tickets at the door", "The long way round", "Ten minutes earlier", "Music and lyrics", "Shot on location",
    "Chapter four: harvest", "Thank you for watching", "Subscribe for more recipes", "Directed by a friend",
    "Based on a true story", "Somewhere in the north", "Press any key to start", "How to fold a paper crane",
    "Please fasten your seat belt", "Five things nobody tells you", "The museum closes at six today",
    "Coming to theatres this autumn", "All characters are fictional", "Welcome to our little workshop",
    "What happened on the last day of school", "Terms and conditions may apply to this offer",
    "Recorded in front of a very patient audience", "The following takes place over a single evening",
)  # fmt: skip
"""Made up for this list."""
