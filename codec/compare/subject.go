package main

import (
	"errors"
	"reflect"
	"runtime"
	"time"

	"github.com/larder-cache/larder/cache"
)

// maxValue is the limit of what is decompressed, in bytes.
const maxValue = 8 << 20

// turn is about how long one measurement takes.
const turn = 5 * time.Millisecond

// subject is a codec, with or without a compressor.
type subject[V any] struct {
	name       string
	codec      cache.Codec[V]
	compressor cache.Compressor

	data                    []byte // as it is stored
	method                  byte
	n                       int           // operations in a turn
	write, read             time.Duration // of one operation, the fastest
	writeAllocs, readAllocs float64
	plain, small            []byte
}

// encode returns v as a store does, in memory that is used again.
func (s *subject[V]) encode(v V) ([]byte, byte, error) {
	b, err := s.codec.Append(s.plain[:0], v)
	if err != nil {
		return nil, 0, err
	}
	s.plain = b
	if s.compressor != nil {
		if small, method := s.compressor.Compress(s.small[:0], b); method != 0 {
			s.small = small
			return small, method, nil
		}
	}
	return b, 0, nil
}

func (s *subject[V]) decode() (v V, err error) {
	data := s.data
	if s.method != 0 {
		if data, err = s.compressor.Decompress(s.plain[:0], data, s.method, maxValue); err != nil {
			return v, err
		}
		s.plain = data
	}
	return s.codec.Decode(data)
}

// prepare fails if v does not come back. It finds how many operations a turn has.
func (s *subject[V]) prepare(v V) error {
	data, method, err := s.encode(v)
	if err != nil {
		return err
	}
	s.data, s.method = append([]byte{}, data...), method
	back, err := s.decode()
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(back, v) {
		return errors.New("the value comes back as another")
	}
	for s.n = 1; ; s.n *= 2 {
		began := time.Now()
		s.reads(s.n)
		if time.Since(began) > turn/2 {
			break
		}
	}
	s.write, s.read = 1<<62, 1<<62
	s.writeAllocs = allocations(s.n, func() { s.writes(v, s.n) })
	s.readAllocs = allocations(s.n, func() { s.reads(s.n) })
	return nil
}

func (s *subject[V]) writes(v V, n int) {
	for range n {
		s.encode(v)
	}
}

func (s *subject[V]) reads(n int) {
	for range n {
		s.decode()
	}
}

// measure is one turn.
func (s *subject[V]) measure(v V) {
	began := time.Now()
	s.writes(v, s.n)
	between := time.Now()
	s.reads(s.n)
	s.read = min(s.read, time.Since(between)/time.Duration(s.n))
	s.write = min(s.write, between.Sub(began)/time.Duration(s.n))
}

func allocations(n int, f func()) float64 {
	var before, after runtime.MemStats
	f()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}
