"""What happens by itself: commands run, letters go out, due rows are looked at."""
