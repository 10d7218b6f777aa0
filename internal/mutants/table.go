package main

// mutant is a broken rule and the test that must notice.
type mutant struct {
	name, breaks string
	pkg, test    string
	edits        []edit
}

// edit replaces a text that is once in a file.
type edit struct{ file, old, new string }

// The rules are those of docs/guarantees.md. In each group, one after the other.
var mutants = join(stored, lives, waiting, memory, sharing, failing, around, masters, primary, hooks)

func join(groups ...[]mutant) (all []mutant) {
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}
