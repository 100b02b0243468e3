#![allow(warnings, clippy::all)]
use qudao_host::*; use std::time::Instant; use std::collections::BTreeMap; use std::sync::Arc;
#[tokio::main(flavor="current_thread")]
async fn main(){
 let wasm=std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
 let dir=std::env::temp_dir().join("qm");
 let host=Host::new(HostOptions{cache_dir:Some(dir),pool:256}).unwrap();
 let t=Instant::now(); let c=host.load(wasm.clone()).await.unwrap(); println!("load1 {:?}",t.elapsed());
 let t=Instant::now(); let c=host.load(wasm).await.unwrap(); println!("load2 {:?} {:?}",t.elapsed(),host.metrics());
 let g=|mode:&str|Grants{channel:"x".into(),settings:serde_json::json!({"mode":mode}),secrets:BTreeMap::from([("mac".to_string(),zeroize::Zeroizing::new(b"x".to_vec()))]),network:vec![],limits:Limits::default(),expectations:Arc::new(NoExpectations)};
 for mode in ["good","rejected","imports"]{
 let k=c.connect(g(mode)).unwrap();
 let r=qudao_model::Request{method:"POST".into(),path:"/".into(),query:None,headers:vec![("A".into(),"b".into());8],body:vec![b'x';300]};
 let call=||Call{now:"2025-12-25T00:49:08Z".parse().unwrap(),random_seed:None};
 let mut v=vec![]; let mut m=vec![];
 for _ in 0..5000{let t=Instant::now(); let d=k.webhook(&r,call()).await; v.push(t.elapsed().as_nanos()); m.push(d.stats.micros); assert_ne!(d.verdict.as_str(),"failed");}
 v.sort();m.sort(); println!("{mode} p10 {} p50 {} p99 {} ns; micros p50 {}",v[500],v[2500],v[4950],m[2500]);
 }
}
