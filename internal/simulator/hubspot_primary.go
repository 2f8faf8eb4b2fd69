package simulator

import "slices"

// hsPrimary is the contact's property that holds its primary company's id. It
// is a view of the associations: writing it associates.
const hsPrimary = "associatedcompanyid"

func hsPrimaryOf(c *collection, it *item) string {
	if links := hsLinks(it, hsCompanies); c.Name == hsContacts && len(links) > 0 {
		return links[0]
	}
	return ""
}

// hsAssociate turns a written primary company into links: it comes first, and
// an empty one takes the first away. An id of no company links nothing.
func hsAssociate(c *call, col *collection, it *item, values map[string]any) {
	path := hsProperty(hsPrimary)
	id, given := values[path].(string)
	if !given || col.Name != hsContacts {
		return
	}
	links := hsLinks(itemOr(it), hsCompanies)
	first := ""
	if len(links) > 0 {
		first = links[0]
	}
	switch {
	case id == first:
		delete(values, path)
	case id == "":
		values["associations."+hsCompanies] = asList(links[1:])
	case c.s.objects[hsCompanies].live(id) != nil:
		links = slices.DeleteFunc(links, func(l string) bool { return l == id })
		values["associations."+hsCompanies] = asList(append([]string{id}, links...))
	}
}

// keep stores a write, and then its links as they are seen from the other end.
func (hubspot) keep(c *call, col *collection, it *item, changes map[string]Change) *item {
	links, linked := changes["associations."+hsCompanies]
	had := hsLinks(itemOr(it), hsCompanies)
	it = c.store(col, it, Applied{Fields: changes})
	if !linked || col.Name != hsContacts || it.id == "" {
		return it
	}
	companies, path := c.s.objects[hsCompanies], "associations."+hsContacts
	list, _ := links.New.([]any)
	has := make([]string, 0, len(list))
	for _, v := range list {
		has = append(has, text(v))
	}
	for _, id := range slices.Concat(had, has) {
		far := companies.live(id)
		if far == nil || slices.Contains(had, id) == slices.Contains(has, id) {
			continue
		}
		back := slices.DeleteFunc(hsLinks(far, hsContacts), func(l string) bool { return l == it.id })
		if slices.Contains(has, id) {
			back = append(back, it.id)
		}
		c.store(companies, far, Applied{Actor: "system", Fields: c.changes(companies, far, map[string]any{path: asList(back)})})
	}
	return it
}
