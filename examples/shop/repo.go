package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver "sqlite", in pure Go
)

// ErrNoProduct says that there is no such product.
var ErrNoProduct = errors.New("no such product")

// MaxPage is the largest number of products on a page.
const MaxPage = 100

// Product is a row of the table of products.
type Product struct {
	ID       int64
	Category string
	Name     string
	Price    int64 // in cents
}

// PageKey names a page of the list of a category, in the order of ids. The
// products are those after a cursor, not those at a position, so a page does not
// move when something before it comes or goes.
type PageKey struct {
	Category string
	After    int64 // the last id already seen, 0 for the first page
	Limit    int
}

// Page is a part of the list of a category.
type Page struct {
	Products []Product
	// Next is what PageKey.After of the following page is, or 0 if this page is
	// not full, so that nothing can follow.
	Next int64
}

// Repo is the shop's database. It knows nothing of caches. Each of its methods
// is a transaction of its own on the one database there is, so it sees all that
// was committed before it was called.
type Repo struct {
	db      *sql.DB
	queries atomic.Int64
}

const schema = `
CREATE TABLE IF NOT EXISTS products (
	id       INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice, always larger than all before
	category TEXT NOT NULL,
	name     TEXT NOT NULL,
	price    INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS products_by_category ON products (category, id);`

// OpenRepo opens the database in the file at path and creates what is missing.
func OpenRepo(ctx context.Context, path string) (*Repo, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// Readers go on while somebody writes, writers wait for each other, and a
	// transaction takes the right to write when it begins.
	source := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)"},
		"_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("create the tables: %w", err), db.Close())
	}
	return &Repo{db: db}, nil
}

// Close closes the database.
func (r *Repo) Close() error { return r.db.Close() }

// Queries returns how often the database was asked for something to read.
func (r *Repo) Queries() int64 { return r.queries.Load() }

const columns = `id, category, name, price`

// Product returns a product, or ErrNoProduct.
func (r *Repo) Product(ctx context.Context, id int64) (Product, error) {
	found, err := r.query(ctx, `SELECT `+columns+` FROM products WHERE id = ?`, id)
	switch {
	case err != nil:
		return Product{}, err
	case len(found) == 0:
		return Product{}, ErrNoProduct
	}
	return found[0], nil
}

// Products returns those of the products that exist, in one query.
func (r *Repo) Products(ctx context.Context, ids []int64) (map[int64]Product, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	found, err := r.query(ctx, `SELECT `+columns+` FROM products WHERE id IN (SELECT value FROM json_each(?))`, string(list))
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]Product, len(found))
	for _, p := range found {
		byID[p.ID] = p
	}
	return byID, nil
}

// Page returns a page. A page of a category that has no products is empty.
func (r *Repo) Page(ctx context.Context, key PageKey) (Page, error) {
	if key.Limit < 1 || key.Limit > MaxPage {
		return Page{}, fmt.Errorf("a page of %d products: it must be 1 to %d", key.Limit, MaxPage)
	}
	found, err := r.query(ctx, `SELECT `+columns+` FROM products WHERE category = ? AND id > ? ORDER BY id LIMIT ?`,
		key.Category, key.After, key.Limit)
	if err != nil {
		return Page{}, err
	}
	page := Page{Products: found}
	if len(found) == key.Limit {
		page.Next = found[len(found)-1].ID
	}
	return page, nil
}

func (r *Repo) query(ctx context.Context, query string, args ...any) (found []Product, err error) {
	r.queries.Add(1)
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Product
		if err := rows.Scan(&p.ID, &p.Category, &p.Name, &p.Price); err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, rows.Err()
}

// Insert adds a product and returns it with the id that the database gave it.
func (r *Repo) Insert(ctx context.Context, p Product) (Product, error) {
	return r.change(ctx, `INSERT INTO products (category, name, price) VALUES (?, ?, ?) RETURNING `+columns,
		p.Category, p.Name, p.Price)
}

// SetPrice changes the price of a product and returns all of the product, or
// ErrNoProduct.
func (r *Repo) SetPrice(ctx context.Context, id, price int64) (Product, error) {
	return r.change(ctx, `UPDATE products SET price = ? WHERE id = ? RETURNING `+columns, price, id)
}

// Delete removes a product, or returns ErrNoProduct.
func (r *Repo) Delete(ctx context.Context, id int64) error {
	_, err := r.change(ctx, `DELETE FROM products WHERE id = ? RETURNING `+columns, id)
	return err
}

// change writes one row. When it returns, the change is committed.
func (r *Repo) change(ctx context.Context, statement string, args ...any) (p Product, err error) {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return Product{}, err
	}
	defer tx.Rollback() // after a commit it does nothing
	err = tx.QueryRowContext(ctx, statement, args...).Scan(&p.ID, &p.Category, &p.Name, &p.Price)
	if errors.Is(err, sql.ErrNoRows) {
		return Product{}, ErrNoProduct
	}
	if err != nil {
		return Product{}, err
	}
	return p, tx.Commit()
}
