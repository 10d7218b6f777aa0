package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// module is one of ours.
type module struct{ Path, Dir string }

// workspace returns the modules of go.work.
func workspace(ctx context.Context) (modules []module, err error) {
	list, err := output(ctx, ".", nil, "go", "list", "-m", "-json")
	if err != nil {
		return nil, err
	}
	for d := json.NewDecoder(strings.NewReader(list)); ; {
		var m module
		if err := d.Decode(&m); err == io.EOF {
			return modules, nil
		} else if err != nil {
			return nil, err
		}
		modules = append(modules, m)
	}
}

// goMod is what go mod edit -json prints.
type goMod struct {
	Module  struct{ Path string }
	Require []struct {
		Path, Version string
		Indirect      bool
	}
	Replace []struct {
		Old struct{ Path, Version string }
	}
}

func readGoMod(ctx context.Context, file string) (m goMod, err error) {
	text, err := output(ctx, filepath.Dir(file), nil, "go", "mod", "edit", "-json", file)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal([]byte(text), &m)
}

// released turns a copy of a go.mod of the work tree into that of a release: without
// replace directives, and with our modules at the version that is released.
func released(ctx context.Context, file, version string, ours []module) error {
	m, err := readGoMod(ctx, file)
	if err != nil {
		return err
	}
	args := []string{"mod", "edit"}
	for _, r := range m.Replace {
		old := r.Old.Path
		if r.Old.Version != "" {
			old += "@" + r.Old.Version
		}
		if !slices.ContainsFunc(ours, func(m module) bool { return m.Path == r.Old.Path }) {
			return fmt.Errorf("it replaces %s, which is not ours: a release cannot", old)
		}
		args = append(args, "-dropreplace="+old)
	}
	for _, r := range m.Require {
		if slices.ContainsFunc(ours, func(m module) bool { return m.Path == r.Path }) {
			args = append(args, "-require="+r.Path+"@"+version)
		}
	}
	if len(args) == 2 {
		return nil
	}
	_, err = output(ctx, filepath.Dir(file), nil, "go", append(args, file)...)
	return err
}

// files returns the files of the module by their paths in it: those that git has or would
// take, without those of modules inside it.
func (m module) files(ctx context.Context, all []module) (files []string, err error) {
	list, err := output(ctx, m.Dir, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	var inside []string
	for _, other := range all {
		if rel, err := filepath.Rel(m.Dir, other.Dir); err == nil && rel != "." && filepath.IsLocal(rel) {
			inside = append(inside, filepath.ToSlash(rel)+"/")
		}
	}
	for file := range strings.SplitSeq(strings.TrimRight(list, "\x00"), "\x00") {
		if slices.ContainsFunc(inside, func(dir string) bool { return strings.HasPrefix(file, dir) }) {
			continue
		}
		if path.Base(file) == "go.mod" && file != "go.mod" {
			return nil, fmt.Errorf("%s is of a module that go.work does not have", file)
		}
		if info, err := os.Lstat(filepath.Join(m.Dir, file)); err == nil && info.Mode().IsRegular() {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	return files, nil
}

// publish writes the module into a proxy, as the go command wants it ("go help
// goproxy"), and returns the size of its zip.
func (m module) publish(ctx context.Context, proxy, version string, all []module) (size int, err error) {
	if m.Path != strings.ToLower(m.Path) {
		return 0, errors.New("a path with capital letters is written otherwise in a proxy")
	}
	dir := filepath.Join(proxy, filepath.FromSlash(m.Path), "@v")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return 0, err
	}
	mod := filepath.Join(dir, version+".mod")
	text, err := os.ReadFile(filepath.Join(m.Dir, "go.mod"))
	if err != nil {
		return 0, err
	}
	if err := os.WriteFile(mod, text, 0o666); err != nil {
		return 0, err
	}
	if err := released(ctx, mod, version, all); err != nil {
		return 0, err
	}
	if text, err = os.ReadFile(mod); err != nil {
		return 0, err
	}
	files, err := m.files(ctx, all)
	if err != nil {
		return 0, err
	}
	data, err := m.zip(version, files, text)
	if err != nil {
		return 0, err
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return 0, err
	}
	for name, content := range map[string][]byte{version + ".zip": data, version + ".info": info, "list": []byte(version + "\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			return 0, err
		}
	}
	return len(data), nil
}

// zip returns the files as a module zip: each below "path@version/".
func (m module) zip(version string, files []string, goMod []byte) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, file := range files {
		text := goMod
		if file != "go.mod" {
			var err error
			if text, err = os.ReadFile(filepath.Join(m.Dir, file)); err != nil {
				return nil, err
			}
		}
		w, err := z.Create(m.Path + "@" + version + "/" + file)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(text); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}
