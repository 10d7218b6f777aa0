package main

import "strconv"

// A page changes in three ways, and carries a tag for each that can happen to
// it:
//
//   - one of its products gets another price, or is removed: the tags of its
//     products;
//   - a product comes at its end, if there is room: the end of its category.
//
// Ids grow, so a new product is never before an old one, and a full page has no
// place for it: it has no tag that a new product invalidates, and stays.

// productTag is carried by the pages that a product is on.
//
// The entry of the product itself does not carry it: SetPrice installs the new
// one, and then invalidates this tag.
func productTag(id int64) string { return "product:" + strconv.FormatInt(id, 10) }

// endTag is carried by the pages of a category that are not full.
func endTag(category string) string { return "products:" + category + ":end" }

// pageTags returns the tags of a page. They are known when it is loaded, not
// before: another price while the page is on its way is noticed nevertheless.
func pageTags(key PageKey, page Page) []string {
	tags := make([]string, 0, len(page.Products)+1)
	for _, p := range page.Products {
		tags = append(tags, productTag(p.ID))
	}
	if len(page.Products) < key.Limit {
		tags = append(tags, endTag(key.Category))
	}
	return tags
}
