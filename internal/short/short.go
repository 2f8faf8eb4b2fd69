// Package short cuts long texts for showing, wherever in a value they stand.
package short

import (
	"reflect"
	"unicode/utf8"
)

// Text cuts a text to at most so many bytes, at a whole character, and ends it
// with what more says of the number of characters that were left out.
func Text(s string, most int, more func(left int) string) string {
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more(utf8.RuneCountInString(s[end:]))
}

// Texts cuts every text that can be set below what p points to: of structs the
// exported fields, of lists, maps and pointers all. Keys of maps, bytes and what
// writes itself are left as they are. What hangs together in a circle must not
// come here.
func Texts(p any, most int, more func(left int) string) {
	c := cutter{most, more}
	c.value(reflect.ValueOf(p).Elem())
}

type cutter struct {
	most int
	more func(int) string
}

func (c cutter) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if len(v.String()) > c.most && v.CanSet() {
			v.SetString(Text(v.String(), c.most, c.more))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				c.value(v.Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			c.value(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			c.value(v.Index(i))
		}
	case reflect.Map:
		c.entries(v)
	case reflect.Interface:
		if v.IsNil() || !v.CanSet() {
			return
		}
		held := reflect.New(v.Elem().Type()).Elem()
		held.Set(v.Elem())
		c.value(held)
		v.Set(held)
	default: // holds no text
	}
}

// entries cuts the values of a map: they cannot be set in place.
func (c cutter) entries(v reflect.Value) {
	for it := v.MapRange(); it.Next(); {
		held := reflect.New(it.Value().Type()).Elem()
		held.Set(it.Value())
		c.value(held)
		v.SetMapIndex(it.Key(), held)
	}
}
