"""Teaching: errors explained, misconceptions, the quiz, lessons."""
