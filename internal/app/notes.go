package app

// noter is a connector that notices ways of its system that an admin should
// know: a filter that it ignores, a page token that it forgot.
type noter interface{ Notes() []string }

// streamNoter is a connector that notices them of the last pass over a stream: a
// file without records.
type streamNoter interface{ Notes(stream string) []string }

// tellNotes logs what a system's connector has noticed, each thing once.
func (a *App) tellNotes(s *system) {
	if n, ok := s.puller.(noter); ok {
		notes := n.Notes() // they are only added to
		for _, text := range notes[min(s.told, len(notes)):] {
			a.tellNote(s, text)
		}
		s.told = len(notes)
	}
	n, ok := s.puller.(streamNoter)
	if !ok {
		return
	}
	now := map[string]bool{}
	for _, in := range s.intakes {
		for _, text := range n.Notes(in.Stream) {
			if !s.noted[text] && !now[text] {
				a.tellNote(s, text)
			}
			now[text] = true
		}
	}
	s.noted = now
}

func (a *App) tellNote(s *system, text string) {
	a.Log.Warn("source is not as it should be", "source", s.source.Name, "note", text)
}
