package migrations

// Placement is a decision about a table, for tests.
type Placement struct {
	Name, By, Beside string
	Everywhere       bool
}

// Placements are the decisions about all tables.
func Placements() []Placement {
	var all []Placement
	for _, t := range layout() {
		all = append(all, Placement{t.name, t.by, t.beside, t.everywhere})
	}
	return all
}

// Functions are the functions that every machine has.
func Functions() []string { return functions() }
