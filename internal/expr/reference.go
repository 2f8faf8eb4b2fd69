package expr

import (
	"bytes"
	"fmt"
)

const referenceHead = `# Expressions

One language for mappings, rules, filters and request parts. An expression is
worked out from the values it is given and from nothing else: no clock, no
randomness, no files.

- Members: ` + "`record.name`, `record[\"客户名称\"]`, `record.phones[0].value`" + `. What is not there is *missing* (nil), and so is every member of it.
- Operators: ` + "`== != < <= > >= and or not + - * / % ** in contains startsWith endsWith matches ?? ?:`" + ` and pipes: ` + "`record.name | trim() | upper()`" + `.
- Missing values: comparing (` + "`<`" + `), calculating or calling a function with a missing value gives missing, not an error. ` + "`==` and `!=`" + ` compare with it as with any value. ` + "`and`, `or`" + ` stay missing unless the other side decides. A condition that is missing counts as false.
- Numbers keep their digits: ` + "`record.id`" + ` is passed on exactly as it was given, ` + "`0.1 + 0.2`" + ` is 0.3. A text is never a number by itself: ` + "`number(record.employees) > 10`" + `. Division by zero is an error.
- Texts are counted and cut in characters: ` + "`record.name[0:2]`" + `.
- Lists: ` + "`filter(list, …)`, `map`, `find`, `findLast`, `any`, `all`, `none`, `one`, `count`" + ` with ` + "`#`" + ` or ` + "`.member`" + ` for the entry, at most one within another: ` + "`first(filter(record.phones, .kind == \"work\")).value`" + `.
- The pattern of ` + "`matches`" + ` is an RE2 expression in quotes.

| function | gives | example | result |
|---|---|---|---|
`

// Reference is the language's page of the documentation, in Markdown.
func Reference() []byte {
	var b bytes.Buffer
	b.WriteString(referenceHead)
	for _, f := range Functions() {
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | `%s` |\n", f.Signature, f.Text, f.Example, f.Gives)
	}
	b.WriteString(lookupReference)
	return b.Bytes()
}
