package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FileName is that of a document in the directory of a run.
const FileName = "results.json"

// maxFile bounds a file that is read.
const maxFile = 256 << 20

// Write writes the document into a directory, which is made if need be, and returns
// the path of the file.
func (d *Document) Write(dir string) (path string, err error) {
	if err := d.Check(); err != nil {
		return "", err
	}
	data, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	path = filepath.Join(dir, FileName)
	return path, WriteFile(path, append(data, '\n'))
}

// WriteFile replaces a file as a whole or not at all. An error names the path.
func WriteFile(path string, data []byte) error {
	err := Replace(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Replace puts what into writes in the place of a file, after that has succeeded. An
// error may be of a temporary file beside it.
func Replace(path string, into func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".larder-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = into(f)
	if err1 := f.Chmod(0o644); err == nil {
		err = err1
	}
	if err1 := f.Close(); err == nil {
		err = err1
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Read reads a document from a file, or from the directory of a run. An error names the
// file and says what is wrong with it.
func Read(path string) (*Document, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, FileName)
	}
	if info, err := os.Stat(path); err == nil && info.Size() > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes: it is no document of results", path, maxFile)
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not there: name a %s that larder bench has written, or its directory", path, FileName)
	}
	if err != nil {
		return nil, err
	}
	d := &Document{}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("%s is no document of results (%w): name a %s that larder bench has written", path, err, FileName)
	}
	if err := d.Check(); err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w", path, err)
	}
	return d, nil
}
