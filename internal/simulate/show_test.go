package simulate_test
import ("testing";"io";"time";"runtime";"github.com/cdrstore/cdrstore/internal/simulate";"github.com/cdrstore/cdrstore/internal/store")
func TestShow(t *testing.T){ 
 for seed:=uint64(100); seed<112; seed++ {
  r:=newReceiver(t,""); o:=r.options(io.Discard); o.Seed=seed; o.Calls=2000; o.Connections=32
  b:=time.Now()
  rep,err:=simulate.Run(t.Context(),o); t.Log(seed, time.Since(b), rep.Said, err)
 }
 r:=newReceiver(t,""); o:=r.options(io.Discard); o.Calls=40000; o.Connections=64
  b:=time.Now()
  rep,err:=simulate.Run(t.Context(),o); 
  var m runtime.MemStats; runtime.ReadMemStats(&m)
  t.Log(time.Since(b), rep.Said, err, m.HeapSys>>20)
  b=time.Now(); _,err=simulate.Recheck(t.Context(),o); t.Log("recheck", time.Since(b), err)
  n,err:=r.store.Verify(t.Context(), func(store.Difference){}, func(int){}); t.Log(n,err)
}
