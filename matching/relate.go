package matching

import (
	"slices"

	"touchstone/internal/record"
	"touchstone/matching/standardise"
)

// Kinds of possible relations between two customers, the strongest first.
const (
	BranchOf      = "branch_of"
	SameGroup     = "same_group"
	Household     = "household"
	SharesPhone   = "shares_phone"
	SharesAddress = "shares_address"
)

// RelationKinds lists them, the strongest first.
func RelationKinds() []string {
	return []string{BranchOf, SameGroup, Household, SharesPhone, SharesAddress}
}

// Tie is a possible relation between two records that are two customers: a
// proposal, never a merge.
type Tie struct {
	Kind string
	// Reverse says of BranchOf that the second record is the branch of the first.
	Reverse  bool
	Apart    string // what says that they are two
	Evidence []Part // what they have in common
}

// Relate proposes how two records of two customers belong together; false where
// nothing says so. A pair at or above the review weight is a question of who
// they are, not a relation, unless hard evidence or the name keeps them apart.
// What many share (Features.Share) is no evidence.
func (m *Model) Relate(a, b *Features, review int32) (Tie, bool) {
	if m.isOwn() || a.Entity() != m.Entity || b.Entity() != m.Entity { // what relates things of one's own is not known
		return Tie{}, false
	}
	var found [maxFields]found
	m.agreement(a, b, &found)
	r := relating{a: a, b: b, found: &found, likely: m.Weigh(a, b).Total >= review}
	if veto, is := m.Veto(a, b); is {
		r.veto, r.tie.Apart = true, veto
	}
	if m.Entity == record.Company {
		r.company()
	} else {
		r.person()
	}
	if r.tie.Kind == "" || r.tie.Apart == "" && r.likely {
		return Tie{}, false
	}
	if r.tie.Apart == "" {
		r.tie.Apart = "too little speaks for one customer"
	}
	for _, p := range m.Explain(a, b) {
		if slices.Contains(r.fields, p.Field) && p.Weight > 0 {
			r.tie.Evidence = append(r.tie.Evidence, p)
		}
	}
	return r.tie, true
}

// relating is one pair being looked at.
type relating struct {
	a, b   *Features
	found  *[maxFields]found
	veto   bool
	likely bool // one customer, if nothing stood against it
	tie    Tie
	fields []string // whose agreement is the evidence
}

func (r *relating) take(kind, apart string) {
	r.tie.Kind = kind
	if r.tie.Apart == "" {
		r.tie.Apart = apart
	}
}

// shares notes a field that both have in common.
func (r *relating) shares(is bool, field string) bool {
	if is {
		r.fields = append(r.fields, field)
	}
	return is
}

func (r *relating) company() {
	f := r.found
	name := f[cName].level
	same := name >= nameExact && name <= nameNear
	near := same || name == nameContained
	domain := r.shares(f[cWeb].level == webAddress || f[cWeb].level == webDomain, "web")
	phone := r.shares(f[cPhone].level == phoneSame, "phones")
	address := r.shares(f[cAddress].level == placeExact, "addresses")
	r.shares(near, "name")
	trade := f[cTrade].level
	tied := domain || phone || address // a name alone is many firms'
	switch {
	case f[cBranch].level == branchDifferent && trade != different && (near && tied || name == nameExact):
		r.branch()
	case f[cBranch].level == branchDifferent && near && tied: // of a sister firm
		r.take(SameGroup, "another line of business")
	case near && tied && r.groupRole():
		r.take(SameGroup, "one is a holding by its name")
	case same && r.veto && (tied || r.likely):
		r.take(SameGroup, "")
	case domain:
		r.take(SameGroup, "")
	case near && tied && (r.veto || trade == different || f[cForm].level == different || f[cPlace].level == different):
		r.take(SameGroup, "")
	case phone:
		r.take(SharesPhone, "")
	case address:
		r.take(SharesAddress, "")
	}
}

// branch tells which of the two is the other's branch; two branches belong to
// one group.
func (r *relating) branch() {
	x, y := r.a.org(int(r.found[cBranch].a)), r.b.org(int(r.found[cBranch].b))
	head := x
	if x.branch() != "" {
		head = y
	}
	switch role := head.role(); {
	case head.branch() != "":
		r.take(SameGroup, "different branches")
	case r.found[cTrade].level == missing && (role == standardise.RoleGroup || role == standardise.RoleHolding):
		r.take(SameGroup, "one is a holding by its name") // whose companies have branches, not it
	default:
		r.take(BranchOf, "a branch and its head company")
		r.tie.Reverse = y.branch() != ""
	}
}

// groupRole says whether the two have different roles in a group by their names:
// one is its holding, or the general partner.
func (r *relating) groupRole() bool {
	return r.found[cBranch].level == branchOther
}

func (r *relating) person() {
	f := r.found
	family := f[pFamily].level == familyExact || f[pFamily].level == familyReading
	given := f[pGiven].level == givenDifferent || f[pGiven].level == givenAlike
	if f[pOrder].level == different {
		family = false
	}
	phone := r.shares(f[pPhone].level == phoneSame, "phones")
	address := r.shares(f[pAddress].level == placeExact, "addresses")
	switch {
	case address && family && (given || r.veto):
		r.fields = append(r.fields, "family name")
		r.take(Household, "different given name")
	case phone:
		r.take(SharesPhone, "")
	case address:
		r.take(SharesAddress, "")
	}
}
