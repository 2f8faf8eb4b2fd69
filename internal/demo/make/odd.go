package main

// oddPhones are what people write where a telephone number belongs and they have
// none, by source and id: of records that wait in the merge queue, so that who
// decides there sees what is noted beside such a value.
var oddPhones = map[string]string{
	"desk o1080": "see letterhead",
	"desk u1030": "见名片",
}
