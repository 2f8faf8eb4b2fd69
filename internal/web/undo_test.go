package web

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// way is the way back from a change: the address that takes it back, or why there
// is none, and the test that goes there and back.
type way struct{ back, why, test string }

// theSame takes back what is a state: the other state is asked for in the same way.
const theSame = "the same address with what stood there before"

// waysBack says of every address that changes something how it is taken back.
var waysBack = map[string]way{
	"POST /accounts":                                {back: "POST /accounts/{login}/state", why: "closed, not deleted: the audit trail goes on naming it", test: "TestAnAdminManagesAccounts"},
	"POST /accounts/tokens":                         {back: "POST /accounts/tokens/{id}/revoke", test: "TestAnAdminManagesAccounts"},
	"POST /accounts/tokens/{id}/revoke":             {why: "a token that may be in wrong hands never works again; make a new one"},
	"POST /accounts/{login}/password":               {why: "the old password is not kept; the person sets another one"},
	"POST /accounts/{login}/role":                   {why: theSame, test: "TestAnAdminManagesAccounts"},
	"POST /accounts/{login}/sees":                   {why: theSame, test: "TestGroupsAndTokensNarrow"},
	"POST /accounts/{login}/sessions":               {why: "the person signs in again"},
	"POST /accounts/{login}/state":                  {why: theSame, test: "TestAnAdminManagesAccounts"},
	"POST /accounts/{login}/two-step":               {why: "the person sets it up again with a device that is there"},
	"POST /acts/{id}/undo":                          {why: "do it again; the repair stands in its history"},
	"POST /alerts":                                  {why: "the same address with clear", test: "TestAlertsAreQuietWhileSomebodyLooksAfterThem"},
	"POST /bridges/{pair}":                          {back: "POST /decisions/{id}/undo", test: "TestWrongMergeIsTakenBack"},
	"POST /bulk":                                    {back: "POST /bulk/{id}", why: "stop, and undo as one", test: "TestBulkIsPreviewedStoppedAndTakenBack"},
	"POST /bulk/{id}":                               {back: "POST /bulk/{id}", why: "a stop by go on; an undo by a new job over the same filter", test: "TestBulkIsPreviewedStoppedAndTakenBack"},
	"POST /conflicts":                               {back: "POST /acts/{id}/undo", test: "TestATypedValueSettlesAndBulkActsAreOneUndo"},
	"POST /conflicts/{row}":                         {back: "POST /acts/{id}/undo", why: "what the other side held is kept in the history of its record", test: "TestARefusedWriteIsSettledEitherWay"},
	"POST /customers/merge":                         {back: "POST /decisions/{id}/undo", test: "TestUnmergeTakesBackMerge"},
	"POST /customers/views":                         {back: "POST /customers/views/{id}/drop", test: "TestViewsAreKeptForWhoMadeThem"},
	"POST /customers/views/{id}/drop":               {why: "save the list again: its address says what it shows"},
	"POST /customers/{id}/fields/{field}/pin":       {back: "POST /customers/{id}/fields/{field}/unpin", test: "TestPinWinsUntilItExpires"},
	"POST /customers/{id}/fields/{field}/unpin":     {back: "POST /decisions/{id}/undo", test: "TestUnpinBringsNoOlderPinBack"},
	"POST /customers/{id}/people":                   {back: "POST /decisions/{id}/undo", test: "TestPeopleStateRelations"},
	"POST /customers/{id}/relations":                {back: "POST /customers/{id}/relations/{decision}/end", test: "TestPeopleStateRelations"},
	"POST /customers/{id}/relations/{decision}/end": {back: "POST /decisions/{id}/undo", test: "TestPeopleStateRelations"},
	"POST /customers/{id}/split":                    {back: "POST /decisions/{id}/undo", test: "TestUnmergeOnThePages"},
	"POST /decisions/{id}/undo":                     {why: "decide again; the history keeps both", test: "TestUndoIsRefusedWhereItWouldStandAgainstOthers"},
	"POST /faults/{fault}":                          {back: "POST /acts/{id}/undo", test: "TestTheSameFaultIsRepairedAtOnce"},
	"POST /handovers":                               {back: "POST /decisions/{id}/undo", test: "TestCustomersArePassedOnAndBack"},
	"POST /me/password":                             {why: "the old password is not kept"},
	"POST /me/sessions/end":                         {why: "sign in again"},
	"POST /me/taste":                                {why: theSame, test: "TestPagesLookAsTheAccountWants"},
	"POST /me/tokens":                               {back: "POST /me/tokens/{id}/revoke", test: "TestASignInGivesATokenOfItsOwn"},
	"POST /me/tokens/{id}/revoke":                   {why: "a token that may be in wrong hands never works again; make a new one"},
	"POST /me/two-step":                             {why: "nothing holds until it is confirmed"},
	"POST /me/two-step/confirm":                     {back: "POST /me/two-step/end", test: "TestTheSecondStep"},
	"POST /me/two-step/end":                         {back: "POST /me/two-step", test: "TestTheSecondStep"},
	"POST /models/{entity}/try":                     {back: "POST /trials/{id}/refuse", why: "a trial changes nothing", test: "TestTrialsAreRefusedAndOvertaken"},
	"POST /plans/{target}/approve":                  {why: "what is not sent yet is held again by stop; what is written is corrected by the decision or the rule that led to it: the target follows", test: "TestWrongMergeIsTakenBack"},
	"POST /plans/{target}/go":                       {back: "POST /plans/{target}/stop", test: "TestDecisionsOnPlansReachTheirPlace"},
	"POST /plans/{target}/refuse":                   {back: "POST /plans/{target}/rows/{row}/unrefuse", test: "TestAPlanIsDecidedByPart"},
	"POST /plans/{target}/rows/{row}/unrefuse":      {back: "POST /plans/{target}/refuse", test: "TestAPlanIsDecidedByPart"},
	"POST /plans/{target}/stop":                     {back: "POST /plans/{target}/go", test: "TestDecisionsOnPlansReachTheirPlace"},
	"POST /proposals":                               {back: "POST /decisions/{id}/undo", test: "TestARefusedProposalStaysAway"},
	"POST /quarantine/{id}/mend":                    {back: "POST /acts/{id}/undo", test: "TestARepairedRecordPassesAndUndoBringsItBack"},
	"POST /quarantine/{id}/release":                 {back: "POST /acts/{id}/undo", test: "TestReleaseIsUndone"},
	"POST /review/cluster/{id}/split":               {back: "POST /decisions/{id}/undo", test: "TestUnmergeOnThePages"},
	"POST /review/undo":                             {why: "answer again", test: "TestBrowserTenPairsByKeyboard"},
	"POST /review/views":                            {back: "POST /review/views/{id}/drop", test: "TestViewsAreKeptForWhoMadeThem"},
	"POST /quarantine/views":                        {back: "POST /quarantine/views/{id}/drop", test: "TestViewsAreKeptForWhoMadeThem"},
	"POST /quarantine/views/{id}/drop":              {why: "save the list again: its address says what it shows"},
	"POST /review/views/{id}/drop":                  {why: "save the list again: its address says what it shows"},
	"POST /review/{id}":                             {back: "POST /review/undo", test: "TestBrowserTenPairsByKeyboard"},
	"POST /review/{id}/assign":                      {why: theSame, test: "TestWorkOnAPairIsKept"},
	"POST /review/{id}/escalate":                    {back: "POST /review/{id}/assign", test: "TestWorkOnAPairIsKept"},
	"POST /review/{id}/note":                        {why: "what was said stays said; say what is right behind it"},
	"POST /review/{id}/withdraw":                    {back: "POST /review/{id}", test: "TestSecondAccountDecides"},
	"POST /sources/{name}/run":                      {why: "a pull changes what the source changed; a wrong source is mended there and pulled again"},
	"POST /sources/{name}/stop":                     {back: "POST /sources/{name}/run", test: "TestRunsTellWhatTheyDid"},
	"POST /trials/{id}/refuse":                      {back: "POST /models/{entity}/try", test: "TestTrialsAreRefusedAndOvertaken"},
	"POST /trials/{id}/take":                        {back: "POST /trials/{id}/undo", why: "changed rules by changing the configuration back", test: "TestThresholdsAreTriedTakenAndTakenBack"},
	"POST /trials/{id}/undo":                        {back: "POST /models/{entity}/try", test: "TestAnotherModelIsPlannedActivatedAndTakenBack"},
	"POST /values/count":                            {why: "counting changes nothing"},
	"POST /values":                                  {back: "POST /decisions/{id}/undo", test: "TestAValueIsMappedOnThePage"},
}

// signing are the addresses that change no more than who is signed in, and what
// is for the demo alone.
var signing = []string{"POST /login", "POST /login/code", "POST /logout", "POST /setup", "POST /act", "POST /demo/role"}

// TestEveryChangeHasAWayBack: an address that changes something names what takes
// it back, or why nothing does; what it names is there, and so is the test that
// goes there and back.
func TestEveryChangeHasAWayBack(t *testing.T) {
	tests := testsOfTheTree(t)
	var all, changes []string
	for _, r := range allRoutes().list {
		all = append(all, r.Pattern)
		if method, _, _ := strings.Cut(r.Pattern, " "); method != "GET" && strings.Contains(r.Pattern, " ") && !slices.Contains(signing, r.Pattern) {
			changes = append(changes, r.Pattern)
		}
	}
	for _, p := range changes {
		w, ok := waysBack[p]
		switch {
		case !ok:
			t.Errorf("%s: say in waysBack how it is taken back, or why it is not", p)
		case w.back == "" && w.why == "":
			t.Errorf("%s: neither a way back nor a reason", p)
		case w.back != "" && !slices.Contains(all, w.back):
			t.Errorf("%s: its way back, %s, is no address", p, w.back)
		case (w.back != "" || w.why == theSame) && w.test == "":
			t.Errorf("%s: no test goes there and back", p)
		case w.test != "" && !tests[w.test]:
			t.Errorf("%s: there is no test %s", p, w.test)
		}
	}
	for p := range waysBack {
		if !slices.Contains(changes, p) {
			t.Errorf("%s has a way back and is no address", p)
		}
	}
	var b strings.Builder
	b.WriteString("# The way back from every change\n\nMade from the tables of the program by `go test ./internal/web -run WayBack -update`. `Z` takes back what was done last; each entry of the decisions and of the audit trail leads to its undo. The API's operations go the same ways. Nothing is overwritten by an undo: it is a fact of its own, with who, when and why.\n\n| change | taken back by | note |\n|---|---|---|\n")
	for _, p := range slices.Sorted(slices.Values(changes)) {
		w := waysBack[p]
		back := w.back
		if back != "" {
			back = "`" + back + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p, back, w.why)
	}
	file := filepath.Join("..", "..", "docs", "undo.md")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != b.String() {
		t.Errorf("%s is not what the table says (%v); run this test with -update", file, err)
	}
}

// testsOfTheTree lists the names of all tests.
func testsOfTheTree(t *testing.T) map[string]bool {
	t.Helper()
	name := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	out := map[string]bool{}
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range name.FindAllSubmatch(text, -1) {
			out[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
