package main

// oddPhones are what people write where a telephone number belongs and they have
// none, by source and id: of a record that waits in the merge queue, so that who
// decides there sees what is noted beside such a value. Its customer has no other
// record that the value would be written to: a target that keeps digits alone makes
// nothing of it, and where an answer is lost nobody could tell that from an edit.
var oddPhones = map[string]string{
	"desk u1030": "见名片",
}
