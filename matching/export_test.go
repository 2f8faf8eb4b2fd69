package matching

// Held is how many records a sample holds.
func Held(s *Sample) int { return len(s.taken) }
