#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    qudao_fuzz::hook_alipay(data);
});
