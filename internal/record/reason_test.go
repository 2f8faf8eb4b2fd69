package record

import "testing"

func TestFaultOfManyRecordsHasOneName(t *testing.T) {
	for _, c := range []struct {
		reason      Reason
		field, what string
	}{
		{Reason{Field: "website", Value: "a\u0007b", Text: "holds the control character U+0007 at position 2"}, "website", "holds the control character U+# at position #"},
		{Reason{Field: "website", Text: "holds the control character U+009F at position 12"}, "website", "holds the control character U+# at position #"},
		{Reason{Field: "employees", Value: "-5", Text: "is -5, must be 0 or more"}, "employees", "is …, must be # or more"},
		{Reason{Field: "employees", Value: "1", Text: "is 1, must be 10 or more"}, "employees", "is …, must be # or more"},
		{Reason{Field: "/phones/12/value", Text: "has 2001 characters, at most 2000 are allowed"}, "/phones/*/value", "has # characters, at most # are allowed"},
		{Reason{Field: "status", Value: "a", Text: "is a, must be one of [a b]"}, "status", "is …, must be one of [a b]"},
		{Reason{Field: "", Text: "not a JSON object: invalid character 'x' looking for beginning of value"}, "", "not a JSON object: invalid character … looking for beginning of value"},
		{Reason{Field: "founded", Text: `can't read "31.02.1999" as "a date"`}, "founded", "can't read … as …"},
		{Reason{Field: "f0", Text: `ends with "`}, "f0", `ends with "`},
	} {
		if field, what := c.reason.Fault(); field != c.field || what != c.what {
			t.Errorf("%+v: %q, %q; want %q, %q", c.reason, field, what, c.field, c.what)
		}
	}
}
