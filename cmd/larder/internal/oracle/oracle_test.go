package oracle

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAnAcknowledgementIsNeverTakenBack(t *testing.T) {
	o := New(2)
	o.Acknowledge(1, 3)
	o.Acknowledge(1, 2)
	if o.Due(1) != 3 || o.Due(0) != 0 {
		t.Errorf("due are %d and %d", o.Due(1), o.Due(0))
	}
}
