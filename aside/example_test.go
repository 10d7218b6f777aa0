package aside_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// Book is what the examples read.
type Book struct {
	Title, Author string
}

// library is a database.
type library map[string]Book

var errNoBook = errors.New("no such book")

func (l library) Book(_ context.Context, isbn string) (Book, error) {
	fmt.Println("SELECT", isbn)
	b, ok := l[isbn]
	if !ok {
		return b, errNoBook
	}
	return b, nil
}

func (l library) Books(_ context.Context, isbns []string) (map[string]Book, error) {
	fmt.Println("SELECT", len(isbns), "books")
	found := map[string]Book{}
	for _, n := range isbns {
		if b, ok := l[n]; ok {
			found[n] = b
		}
	}
	return found, nil
}

func Example() {
	ctx := context.Background()
	db := library{"0-19": {"Sylvie", "Nerval"}}
	store := memstore.New[string, Book](nil, 10_000, nil)
	books := aside.New(store, db.Book, invalidation.TTL(5*time.Minute), &aside.Options[string, Book]{
		Tags: func(_ string, b Book) []string { return []string{"author:" + b.Author} },
	})
	defer books.Close(ctx)

	b, err := books.Get(ctx, "0-19")
	fmt.Println(b.Title, err)

	db["0-19"] = Book{"Aurélia", "Nerval"}
	store.Domain().InvalidateTags(ctx, "author:Nerval")

	b, err = books.Get(ctx, "0-19")
	fmt.Println(b.Title, err)
	// Output:
	// SELECT 0-19
	// Sylvie <nil>
	// SELECT 0-19
	// Aurélia <nil>
}

// The error with which the database says that there is no such row is cached,
// and comes back as itself.
func ExampleOptions_notFound() {
	ctx := context.Background()
	policy := invalidation.Policy{Fresh: 5 * time.Minute, Negative: 30 * time.Second}
	books := aside.New(memstore.New[string, Book](nil, 10_000, nil), library{}.Book, policy,
		&aside.Options[string, Book]{NotFound: errNoBook})

	_, err := books.Get(ctx, "0-20")
	fmt.Println(err == errNoBook)
	books.Close(ctx)
	// Output:
	// SELECT 0-20
	// true
}

func ExampleBatch_GetMany() {
	ctx := context.Background()
	db := library{"0-19": {"Sylvie", "Nerval"}, "0-21": {"Ourika", "Duras"}}
	books := aside.NewBatch(memstore.New[string, Book](nil, 10_000, nil), db.Books, invalidation.TTL(5*time.Minute), nil)
	defer books.Close(ctx)

	found, err := books.GetMany(ctx, []string{"0-19", "0-20", "0-21"})
	fmt.Println(len(found), found["0-21"].Title, err)
	// Output:
	// SELECT 3 books
	// 2 Ourika <nil>
}
