package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// story prints what is done in a shop, and how often the database was asked.
type story struct {
	out  io.Writer
	repo *Repo
	shop *Shop
}

// tell makes and prints the story of a shop that sells what is in repo.
func tell(ctx context.Context, out io.Writer, repo *Repo, shop *Shop) error {
	s := &story{out, repo, shop}
	ids, err := s.stock(ctx)
	if err != nil {
		return err
	}
	list := s.pages(ids)
	for _, step := range []struct {
		what string
		do   func() (string, error)
	}{
		{"read a product", func() (string, error) { return shown(s.shop.Product(ctx, ids[0])) }},
		{"read it again", func() (string, error) { return shown(s.shop.Product(ctx, ids[0])) }},
		{"read all seven at once", func() (string, error) {
			found, err := s.shop.Products(ctx, ids)
			return fmt.Sprintf("%d products", len(found)), err
		}},
		{"two walk through the list", func() (string, error) { return s.walk(ctx, list) }},
		{"raise the price of the plum", func() (string, error) { return shown(s.shop.SetPrice(ctx, ids[4], 45)) }},
		{"read the plum", func() (string, error) { return shown(s.shop.Product(ctx, ids[4])) }},
		{"two walk: one page is new", func() (string, error) { return s.walk(ctx, list) }},
		{"ask for a product to come", func() (string, error) { return shown(s.shop.Product(ctx, ids[6]+1)) }},
		{"ask again", func() (string, error) { return shown(s.shop.Product(ctx, ids[6]+1)) }},
		{"add it", func() (string, error) {
			return shown(s.shop.AddProduct(ctx, Product{Category: "fruit", Name: "lime", Price: 30}))
		}},
		{"read it", func() (string, error) { return shown(s.shop.Product(ctx, ids[6]+1)) }},
		{"two walk: the last page is new", func() (string, error) { return s.walk(ctx, list) }},
		{"remove the apple", func() (string, error) { return "gone", s.shop.Remove(ctx, ids[0]) }},
		{"read the apple", func() (string, error) { return shown(s.shop.Product(ctx, ids[0])) }},
		{"two walk: the first page is new", func() (string, error) { return s.walk(ctx, list) }},
	} {
		if err := s.step(step.what, step.do); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// stock puts seven kinds of fruit into the shop.
func (s *story) stock(ctx context.Context) (ids []int64, err error) {
	for i, name := range strings.Fields("apple pear cherry grape plum fig melon") {
		p, err := s.shop.AddProduct(ctx, Product{Category: "fruit", Name: name, Price: int64(10 * (i + 1))})
		if err != nil {
			return nil, err
		}
		ids = append(ids, p.ID)
	}
	return ids, nil
}

// pages returns the pages, of three products each, that the list has in the
// beginning.
func (s *story) pages(ids []int64) []PageKey {
	return []PageKey{
		{Category: "fruit", After: ids[0] - 1, Limit: 3},
		{Category: "fruit", After: ids[2], Limit: 3},
		{Category: "fruit", After: ids[5], Limit: 3},
	}
}

// walk is two customers who walk through the list, one after the other. It
// returns the names that the second one sees.
func (s *story) walk(ctx context.Context, pages []PageKey) (string, error) {
	for _, key := range pages {
		if _, err := s.shop.Page(ctx, key); err != nil {
			return "", err
		}
	}
	var all []string
	for _, key := range pages {
		page, err := s.shop.Page(ctx, key)
		if err != nil {
			return "", err
		}
		var names []string
		for _, p := range page.Products {
			names = append(names, p.Name)
		}
		all = append(all, strings.Join(names, " "))
	}
	return strings.Join(all, " | "), nil
}

// step does something, and prints its result and how often the database was
// asked for it.
func (s *story) step(what string, do func() (string, error)) error {
	queries := s.repo.Queries()
	result, err := do()
	if errors.Is(err, ErrNoProduct) {
		result, err = err.Error(), nil
	}
	_, printErr := fmt.Fprintf(s.out, "%-31s  queries %d: %s\n", what, s.repo.Queries()-queries, result)
	return errors.Join(err, printErr)
}

// shown returns a product as it is printed.
func shown(p Product, err error) (string, error) {
	return p.Name + " " + strconv.FormatInt(p.Price, 10), err
}
