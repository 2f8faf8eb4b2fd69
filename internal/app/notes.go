package app

// noter is a connector that notices ways of its system that an admin should
// know: a filter that it ignores, a page token that it forgot.
type noter interface{ Notes() []string }

// tellNotes logs what a system's connector has noticed, each thing once.
func (a *App) tellNotes(s *system) {
	n, ok := s.puller.(noter)
	if !ok {
		return
	}
	notes := n.Notes() // they are only added to
	for _, text := range notes[min(s.told, len(notes)):] {
		a.Log.Warn("source is not as it should be", "source", s.source.Name, "note", text)
	}
	s.told = len(notes)
}
