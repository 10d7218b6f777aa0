// Package tagname says which texts can be tags.
package tagname

import (
	"errors"
	"fmt"
)

// Most is how many bytes a tag has at most.
const Most = 4096

var errEmpty = errors.New("a tag is empty")

// Check returns an error that says which of the tags cannot be one, or nil.
func Check(tags ...string) error {
	for _, t := range tags {
		switch {
		case t == "":
			return errEmpty
		case len(t) > Most:
			return fmt.Errorf("the tag %.20q... has %d bytes: a tag has at most %d", t, len(t), Most)
		}
	}
	return nil
}

// Valid returns those of the tags that can be one.
func Valid(tags []string) []string {
	valid := make([]string, 0, len(tags))
	for _, t := range tags {
		if Check(t) == nil {
			valid = append(valid, t)
		}
	}
	return valid
}
