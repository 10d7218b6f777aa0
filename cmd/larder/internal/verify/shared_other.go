//go:build !linux && !darwin

package verify

import (
	"errors"
	"os"
)

const supported = false

func clock() int64 { return 0 }

func create[T any](string) error { return errors.ErrUnsupported }

func share[T any](string) (*T, func(), error) { return nil, nil, errors.ErrUnsupported }

func halt(*os.Process, bool) error { return errors.ErrUnsupported }
