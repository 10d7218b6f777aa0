package fleet

import "sync"

// Words keeps the first words of a process that fails, which say why.
type Words struct {
	Most int // bytes that are kept

	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (w *Words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if room := w.Most - len(w.text); room > 0 {
		w.text = append(w.text, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

// String returns what was kept.
func (w *Words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.text)
}
