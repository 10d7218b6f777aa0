package contain

import (
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/larder-cache/larder/cache"
)

func TestDo_TellsOfAPanicAndOfAGoroutineThatWasEnded(t *testing.T) {
	bad := errors.New("bad")
	for name, f := range map[string]func() error{
		"returned": func() error { return bad }, "panic": func() error { panic("boom") }, "Goexit": func() error { runtime.Goexit(); return nil },
	} {
		var told *cache.PanicError
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			err = Do("f", func(p *cache.PanicError) { told = p }, f)
		}()
		<-done
		if (told == nil) != (name == "returned") || told != nil && told.Function != "f" || name == "returned" && err != bad || name == "panic" && err != error(told) {
			t.Errorf("%s: told of %v, error %v", name, told, err)
		}
	}
}

func TestInTurn_EachStepIsMadeWhateverTheOthersDo(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		var made []int
		done := make(chan any)
		go func() {
			defer func() { done <- recover() }()
			InTurn(func() { made = append(made, 1); end() }, func() { made = append(made, 2) },
				func() { made = append(made, 3); end() }, func() { made = append(made, 4) })
			made = append(made, 5)
		}()
		if value := <-done; (value == nil) != (name == "Goexit") || !slices.Equal(made, []int{1, 2, 3, 4}) {
			t.Errorf("%s: %v were made, and the panic is %v", name, made, value)
		}
	}
}
