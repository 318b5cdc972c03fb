// Package docs_test checks the pages of this repository against its
// code: rule IDs, links and paths must resolve.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// page returns a page of the repository.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages are all pages for people.
func pages(t *testing.T) []string {
	t.Helper()
	pages := []string{"README.md", ".github/CONTRIBUTING.md", "deploy/bench/README.md"}
	docs, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range docs {
		pages = append(pages, "deploy/docs/"+name)
	}
	return pages
}

// TestFormats_ExplainsEveryCitedRule checks that each ID in Go code,
// such as GEN-03, has a row in formats.md, and each row only one.
func TestFormats_ExplainsEveryCitedRule(t *testing.T) {
	t.Parallel()
	explained := map[string]bool{}
	groups := map[string]bool{}
	row := regexp.MustCompile(`(?m)^\| (([A-Z]+)-\d+) \| (.+) \| (.+) \|$`)
	for _, m := range row.FindAllStringSubmatch(page(t, "deploy/docs/formats.md"), -1) {
		if explained[m[1]] {
			t.Errorf("formats.md explains %s twice", m[1])
		}
		explained[m[1]], groups[m[2]] = true, true
	}

	id := regexp.MustCompile(`\b([A-Z]{2,5})-\d{2}\b`)
	cited := 0
	eachGoFile(t, func(path, text string) {
		for _, m := range id.FindAllStringSubmatch(text, -1) {
			cited++
			if !explained[m[0]] && isGroup(m[1], groups) {
				t.Errorf("%s cites %s, which deploy/docs/formats.md does not explain", path, m[0])
			}
		}
	})
	if cited == 0 {
		t.Error("no Go file cites a rule: the search is broken")
	}
}

// otherIDs are groups of capital letters that name something else in
// code, such as an encoding or an algorithm.
var otherIDs = []string{"UTF", "SHA", "ISO", "RFC", "CP", "AES"}

// isGroup reports whether letters name a group of rules: one of the
// page, or one that the page may lack.
func isGroup(letters string, groups map[string]bool) bool {
	return groups[letters] || !slices.Contains(otherIDs, letters)
}

// eachGoFile visits the Go files of the repository but this one.
func eachGoFile(t *testing.T, visit func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return fs.SkipDir
		case d.IsDir(), filepath.Ext(path) != ".go", d.Name() == "docs_test.go":
			return nil
		}
		text, err := os.ReadFile(path)
		visit(path, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLinks_Resolve checks the relative links of all pages, and the
// sections they point to.
func TestLinks_Resolve(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	block := regexp.MustCompile("(?ms)^```.*?^```$")
	for _, from := range pages(t) {
		prose := block.ReplaceAllString(page(t, from), "")
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, section, _ := strings.Cut(m[1], "#")
			to := from
			if path != "" {
				to = filepath.Join(filepath.Dir(from), path)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s: link %s leads nowhere", from, m[1])
			} else if section != "" && !slices.Contains(sections(page(t, to)), section) {
				t.Errorf("%s: %s has no section #%s", from, to, section)
			}
		}
	}
}

// sections returns the anchors that GitHub gives the headings of a
// page.
func sections(text string) []string {
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	var anchors []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		anchor := dropped.ReplaceAllString(strings.ToLower(m[1]), "")
		anchors = append(anchors, strings.ReplaceAll(anchor, " ", "-"))
	}
	return anchors
}

// TestPaths_Exist checks the paths that pages write as code, such as
// `worker/job`. NAME and * stand for any name, so paths with them are left
// out.
func TestPaths_Exist(t *testing.T) {
	t.Parallel()
	path := regexp.MustCompile(
		"`((?:tasks|producer|providers|worker|cmd|deploy|\\.github)/[^` ]*)`")
	for _, from := range pages(t) {
		for _, m := range path.FindAllStringSubmatch(page(t, from), -1) {
			if strings.Contains(m[1], "NAME") || strings.Contains(m[1], "*") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s names %s, which does not exist", from, m[1])
			}
		}
	}
}
