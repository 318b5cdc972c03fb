package providers_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

// signIns counts what it makes.
type signIns struct {
	kept providers.Kept[int, *int]
	made int
}

func (s *signIns) of(t testing.TB, proof int) *int {
	t.Helper()
	signIn, err := s.kept.Of(proof, func() (*int, error) {
		s.made++
		return new(int), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return signIn
}

// A sign-in serves those who prove the same, for a while, and nobody else.
func TestKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &signIns{}
		first := s.of(t, 1)
		<-time.After(9 * time.Minute)
		if s.of(t, 1) != first || s.of(t, 2) == first || s.made != 2 {
			t.Errorf("%d were made", s.made)
		}
		<-time.After(time.Minute)
		if s.of(t, 1) == first || s.made != 3 {
			t.Errorf("the old one is still given; %d were made", s.made)
		}
	})
}

func TestKept_IsBounded(t *testing.T) {
	t.Parallel()
	s := &signIns{}
	first := s.of(t, 0)
	for proof := range 1000 {
		s.of(t, proof)
	}
	if s.of(t, 0) != first || s.made != 1000 {
		t.Errorf("%d were made", s.made)
	}
	if s.of(t, 1000); s.of(t, 0) == first {
		t.Error("more than 1000 are kept")
	}
}

// Those that have ended make room before those that have not.
func TestKept_ForgetsTheOldFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &signIns{}
		for proof := range 999 {
			s.of(t, proof)
		}
		<-time.After(9 * time.Minute)
		young := s.of(t, 999)
		<-time.After(time.Minute)
		if s.of(t, 0); s.of(t, 999) != young {
			t.Error("one that had not ended was forgotten")
		}
	})
}

func TestKept_NotWhatFails(t *testing.T) {
	t.Parallel()
	s := &signIns{}
	refused := errors.New("refused")
	if _, err := s.kept.Of(1, func() (*int, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if s.of(t, 1) == nil || s.made != 1 {
		t.Errorf("%d were made", s.made)
	}
}
