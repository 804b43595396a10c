BEGIN TRANSACTION;
CREATE TABLE alarm (
    seq INTEGER PRIMARY KEY,
    alarm TEXT NOT NULL
);
INSERT INTO "alarm" VALUES(1,'{"at":1795608001.0,"model":"small","signal":"quality","task":"qa","before":0.9,"after":0.75,"seen":1,"confidence":0.99999}');
INSERT INTO "alarm" VALUES(2,'{"at":1795608002.0,"model":"small","signal":"quality","task":"qa","before":0.9,"after":0.75,"seen":2,"confidence":0.99999}');
CREATE TABLE decision (
    seq INTEGER PRIMARY KEY,
    decision_id TEXT NOT NULL UNIQUE,
    at REAL NOT NULL,
    dispatch TEXT NOT NULL,
    prompt BLOB
);
INSERT INTO "decision" VALUES(3,'decision-000002',1795608002.0,'{"decision":{"decision_id":"decision-000002","at":1795608002.0,"context":{"task":"qa","features":[0.9092974268256817,0.1411200080598672,-0.7568024953079282],"input_tokens":102,"encoder_version":"v1","likeliest":"","probability":1.0},"chosen":"small","propensity":0.25,"propensities":{"small":0.25,"large":0.75},"excluded":{"huge":"does not take tools"},"forecasts":{"small":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5},"large":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5}},"shadow_prices":{"paced":0.02},"policy_version":"thompson-1","tenant":"acme","pinned":false,"shadow":null},"reserved_usd":0.01,"windows":[["daily","2026-11-25"],["monthly","2026-11"]],"expires_at":1795608602.0,"by_caller":false}',X'5B7B22726F6C65223A2275736572222C22636F6E74656E74223A22486F77206D7563682069732069743F227D5D');
INSERT INTO "decision" VALUES(4,'decision-000003',1795608003.0,'{"decision":{"decision_id":"decision-000003","at":1795608003.0,"context":{"task":"code","features":[0.1411200080598672,-0.7568024953079282,-0.9589242746631385],"input_tokens":103,"encoder_version":"v1","likeliest":"","probability":1.0},"chosen":"large","propensity":0.25,"propensities":{"small":0.25,"large":0.75},"excluded":{"huge":"does not take tools"},"forecasts":{"small":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5},"large":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5}},"shadow_prices":{"paced":0.02},"policy_version":"thompson-1","tenant":"other","pinned":false,"shadow":null},"reserved_usd":0.01,"windows":[["daily","2026-11-25"],["monthly","2026-11"]],"expires_at":1795608603.0,"by_caller":true}',X'5B7B22726F6C65223A2275736572222C22636F6E74656E74223A22486F77206D7563682069732069743F227D5D');
INSERT INTO "decision" VALUES(5,'decision-000004',1795608004.0,'{"decision":{"decision_id":"decision-000004","at":1795608004.0,"context":{"task":"qa","features":[-0.7568024953079282,-0.9589242746631385,-0.27941549819892586],"input_tokens":104,"encoder_version":"v1","likeliest":"","probability":1.0},"chosen":"small","propensity":0.25,"propensities":{"small":0.25,"large":0.75},"excluded":{"huge":"does not take tools"},"forecasts":{"small":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5},"large":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5}},"shadow_prices":{"paced":0.02},"policy_version":"thompson-1","tenant":"acme","pinned":false,"shadow":null},"reserved_usd":0.01,"windows":[["daily","2026-11-25"],["monthly","2026-11"]],"expires_at":1795608604.0,"by_caller":false}',X'5B7B22726F6C65223A2275736572222C22636F6E74656E74223A22486F77206D7563682069732069743F227D5D');
INSERT INTO "decision" VALUES(6,'decision-000005',1795608005.0,'{"decision":{"decision_id":"decision-000005","at":1795608005.0,"context":{"task":"code","features":[-0.9589242746631385,-0.27941549819892586,0.6569865987187891],"input_tokens":105,"encoder_version":"v1","likeliest":"","probability":1.0},"chosen":"large","propensity":0.25,"propensities":{"small":0.25,"large":0.75},"excluded":{"huge":"does not take tools"},"forecasts":{"small":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5},"large":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5}},"shadow_prices":{"paced":0.02},"policy_version":"thompson-1","tenant":"other","pinned":false,"shadow":null},"reserved_usd":0.01,"windows":[["daily","2026-11-25"],["monthly","2026-11"]],"expires_at":1795608605.0,"by_caller":false}',X'5B7B22726F6C65223A2275736572222C22636F6E74656E74223A22486F77206D7563682069732069743F227D5D');
INSERT INTO "decision" VALUES(7,'decision-000006',1795608006.0,'{"decision":{"decision_id":"decision-000006","at":1795608006.0,"context":{"task":"qa","features":[-0.27941549819892586,0.6569865987187891,0.9893582466233818],"input_tokens":106,"encoder_version":"v1","likeliest":"","probability":1.0},"chosen":"small","propensity":0.25,"propensities":{"small":0.25,"large":0.75},"excluded":{"huge":"does not take tools"},"forecasts":{"small":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5},"large":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5}},"shadow_prices":{"paced":0.02},"policy_version":"thompson-1","tenant":"acme","pinned":false,"shadow":{"name":"rival","chosen":"small","propensities":{"small":0.875,"large":0.125},"forecasts":{"small":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5},"large":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5}},"shadow_prices":{"paced":0.01},"policy_version":"greedy-1"}},"reserved_usd":0.01,"windows":[["daily","2026-11-25"],["monthly","2026-11"]],"expires_at":1795608606.0,"by_caller":true}',X'5B7B22726F6C65223A2275736572222C22636F6E74656E74223A22486F77206D7563682069732069743F227D5D');
INSERT INTO "decision" VALUES(8,'decision-000007',1795608007.0,'{"decision":{"decision_id":"decision-000007","at":1795608007.0,"context":{"task":"code","features":[0.6569865987187891,0.9893582466233818,0.4121184852417566],"input_tokens":107,"encoder_version":"v1","likeliest":"","probability":1.0},"chosen":"large","propensity":0.25,"propensities":{"small":0.25,"large":0.75},"excluded":{"huge":"does not take tools"},"forecasts":{"small":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5},"large":{"quality":0.7,"quality_sd":0.05,"cost_usd":0.000125,"latency_s":0.9,"output_tokens":120.5}},"shadow_prices":{"paced":0.02},"policy_version":"thompson-1","tenant":"other","pinned":false,"shadow":null},"reserved_usd":0.01,"windows":[["daily","2026-11-25"],["monthly","2026-11"]],"expires_at":1795608607.0,"by_caller":false}',X'5B7B22726F6C65223A2275736572222C22636F6E74656E74223A22486F77206D7563682069732069743F227D5D');
CREATE TABLE evidence (
    edge INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    signal TEXT NOT NULL,
    encoder_version TEXT NOT NULL,
    sums BLOB NOT NULL,
    UNIQUE (task, model, signal, encoder_version)
);
INSERT INTO "evidence" VALUES(1,'qa','large','log_latency','v1',X'0000000000000840A90FCAE19014F1BFB0665052665EB8BF54664219EF55E03FC68ED42DD1B2E43F644433EC7966D83F2815AE794C40903FE4CAC35BB6D1C8BFA882C360E3D9CCBF049A6D3153BBF13F178E27DB5417E03F2A846B074813E2BFAD88095D2AF3F83F97CF9CB155EAF23FEAC229394A7AFD3F5AA8A8B4B0FD0540E17B2B53154DEFBFDFAE07153054B6BF88CDD414BCEFDD3F7C03FFCA41F7E23F0000000000000840756972D96E260440');
INSERT INTO "evidence" VALUES(2,'qa','small','log_tokens','v1',X'0000000000000840A90FCAE19014F1BFB0665052665EB8BF54664219EF55E03FC68ED42DD1B2E43F644433EC7966D83F2815AE794C40903FE4CAC35BB6D1C8BFA882C360E3D9CCBF049A6D3153BBF13F178E27DB5417E03F2A846B074813E2BFAD88095D2AF3F83F97CF9CB155EAF23FEAC229394A7AFD3F4A91F6318F731840528C1CCA1C4001C0BC185981D50BDBBFAF50C4A1E755EA3F1A713B0EA0FDF43F0000000000000840A2CB20818C6E2940');
INSERT INTO "evidence" VALUES(3,'qa','small','log_latency','v1',X'0000000000000840A90FCAE19014F1BFB0665052665EB8BF54664219EF55E03FC68ED42DD1B2E43F644433EC7966D83F2815AE794C40903FE4CAC35BB6D1C8BFA882C360E3D9CCBF049A6D3153BBF13F178E27DB5417E03F2A846B074813E2BFAD88095D2AF3F83F97CF9CB155EAF23FEAC229394A7AFD3F0C7E22279091014094C123DA13BFE6BF5E381B7BC0A8E4BF8EAE7EB8900AEABF4C08EC68ADECCDBF0000000000000840CC86C83EB4F91640');
INSERT INTO "evidence" VALUES(4,'qa','small','quality','v1',X'0000000000000840A90FCAE19014F1BFB0665052665EB8BF54664219EF55E03FC68ED42DD1B2E43F644433EC7966D83F2815AE794C40903FE4CAC35BB6D1C8BFA882C360E3D9CCBF049A6D3153BBF13F178E27DB5417E03F2A846B074813E2BFAD88095D2AF3F83F97CF9CB155EAF23FEAC229394A7AFD3FCECCCCCCCCCCEC3F23E89F31B692D3BFBCE4C21371B2CBBF6B6B91D47BD59D3F6801F54714BACF3F0000000000000840E47A14AE47E1DA3F');
INSERT INTO "evidence" VALUES(5,'code','large','log_latency','v1',X'0000000000000240D448E70BDC9CE9BFB0D913EE102D923FB0665052665EB8BFF81A239082E0BEBFE59DEBE61042D23F1C0590D63285A0BF4488D13FD603913F6CC710D5AAB6A93F38A01BA031C5F33FDFFEDA7A193BE63F3378875C1E09DFBF049A6D3153BBF13F178E27DB5417E03FFDB5D9C4F673F03F447E7E87447E004081A22C59FD77E7BF38A617B68FA7903FDAAE07153054B6BF111AA34AD44ABCBF0000000000000240309E2B46A639FE3F');
INSERT INTO "evidence" VALUES(6,'code','small','log_tokens','v1',X'0000000000000240D448E70BDC9CE9BFB0D913EE102D923FB0665052665EB8BFF81A239082E0BEBFE59DEBE61042D23F1C0590D63285A0BF4488D13FD603913F6CC710D5AAB6A93F38A01BA031C5F33FDFFEDA7A193BE63F3378875C1E09DFBF049A6D3153BBF13F178E27DB5417E03FFDB5D9C4F673F03F344602BD7785124003056AAE943CFABF7FC1D4024187D3BF6CC240B0A637DCBF2EBD664450EDC5BF0000000000000240AC65333A2B412340');
INSERT INTO "evidence" VALUES(7,'code','small','log_latency','v1',X'0000000000000240D448E70BDC9CE9BFB0D913EE102D923FB0665052665EB8BFF81A239082E0BEBFE59DEBE61042D23F1C0590D63285A0BF4488D13FD603913F6CC710D5AAB6A93F38A01BA031C5F33FDFFEDA7A193BE63F3378875C1E09DFBF049A6D3153BBF13F178E27DB5417E03FFDB5D9C4F673F03FE921C73F74BE0240B1BAAD309F05EABFA0D6AFF5E809EDBFD010A1EABC24EBBFE2A392F568BB82BF0000000000000240EEE3F18D37A70940');
INSERT INTO "evidence" VALUES(8,'code','small','quality','v1',X'0000000000000240D448E70BDC9CE9BFB0D913EE102D923FB0665052665EB8BFF81A239082E0BEBFE59DEBE61042D23F1C0590D63285A0BF4488D13FD603913F6CC710D5AAB6A93F38A01BA031C5F33FDFFEDA7A193BE63F3378875C1E09DFBF049A6D3153BBF13F178E27DB5417E03FFDB5D9C4F673F03F9A9999999999E53FC8611F7929FFCDBF8E52CF0968F1D0BFFE45A58F857ACABFAA54E9D3A417A53F0000000000000240CDCCCCCCCCCCD03F');
CREATE TABLE feedback (
    seq INTEGER PRIMARY KEY,
    decision INTEGER NOT NULL REFERENCES decision (seq),
    source TEXT NOT NULL,
    feedback TEXT NOT NULL,
    UNIQUE (decision, source)
);
INSERT INTO "feedback" VALUES(3,3,'user','{"decision_id":"decision-000002","quality":0.2,"source":"user","at":1795608020.0,"weight":1.0}');
INSERT INTO "feedback" VALUES(4,4,'user','{"decision_id":"decision-000003","quality":0.30000000000000004,"source":"user","at":1795608020.0,"weight":1.0}');
INSERT INTO "feedback" VALUES(5,5,'user','{"decision_id":"decision-000004","quality":0.4,"source":"user","at":1795608020.0,"weight":1.0}');
INSERT INTO "feedback" VALUES(6,6,'user','{"decision_id":"decision-000005","quality":0.5,"source":"user","at":1795608020.0,"weight":1.0}');
INSERT INTO "feedback" VALUES(7,7,'user','{"decision_id":"decision-000006","quality":0.6000000000000001,"source":"user","at":1795608020.0,"weight":1.0}');
CREATE TABLE folded (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    outcome INTEGER NOT NULL,
    feedback INTEGER NOT NULL,
    decision INTEGER NOT NULL
);
INSERT INTO "folded" VALUES(1,7,7,0);
CREATE TABLE gateway_key (
    key_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    tenant TEXT NOT NULL,
    models TEXT NOT NULL,
    tasks TEXT NOT NULL,
    requests_per_minute REAL,
    admin INTEGER NOT NULL,
    created_at REAL NOT NULL,
    revoked_at REAL
) WITHOUT ROWID
;
INSERT INTO "gateway_key" VALUES('id-1','app',X'646967657374','acme','["small"]','["qa"]',60.0,1,1795608000.0,NULL);
INSERT INTO "gateway_key" VALUES('id-2','old',X'646967657374','','["small"]','["qa"]',60.0,1,1795608000.0,1795608001.0);
CREATE TABLE outcome (
    number INTEGER PRIMARY KEY,
    decision INTEGER NOT NULL UNIQUE REFERENCES decision (seq),
    settlement TEXT NOT NULL
);
INSERT INTO "outcome" VALUES(3,3,'{"outcome":{"decision_id":"decision-000002","served":"small","at":1795608012.0,"usage":{"input_tokens":102,"output_tokens":7,"cached_input_tokens":3,"cache_write_tokens":2,"reasoning_tokens":1},"cost_usd":0.0011200000000000001,"latency_s":4.8,"ttft_s":0.2,"ok":true,"estimated":false,"from_cache":false,"attempts":[{"model":"large","duration_s":2.5,"cost_usd":0.001,"failure":"TimedOutError","problem":"timed out after 2.5 s (first_token)","probe":false,"hedge":false,"in_flight":null,"slowdown":1.0,"ttft_slowdown":1.0,"ttft_s":null},{"model":"small","duration_s":2.3,"cost_usd":0.0001,"failure":"","problem":"","probe":true,"hedge":false,"in_flight":null,"slowdown":1.0,"ttft_slowdown":1.0,"ttft_s":null}],"billed_usd":null},"charges":[["daily","2026-11-25",0.0011200000000000001],["monthly","2026-11",0.0011200000000000001]],"paces":[{"budget":"paced","log_price":-1.9,"spend":1.0,"anchor":-4.0,"level":60.0,"requests":2,"usd_per_request":null,"traffic":""}]}');
INSERT INTO "outcome" VALUES(4,4,'{"outcome":{"decision_id":"decision-000003","served":"small","at":1795608013.0,"usage":{"input_tokens":103,"output_tokens":8,"cached_input_tokens":3,"cache_write_tokens":2,"reasoning_tokens":1},"cost_usd":0.0011300000000000001,"latency_s":5.8,"ttft_s":0.2,"ok":true,"estimated":false,"from_cache":false,"attempts":[{"model":"large","duration_s":2.5,"cost_usd":0.001,"failure":"TimedOutError","problem":"timed out after 2.5 s (first_token)","probe":false,"hedge":false,"in_flight":null,"slowdown":1.0,"ttft_slowdown":1.0,"ttft_s":null},{"model":"small","duration_s":3.3,"cost_usd":0.0001,"failure":"","problem":"","probe":true,"hedge":false,"in_flight":null,"slowdown":1.0,"ttft_slowdown":1.0,"ttft_s":null}],"billed_usd":null},"charges":[["daily","2026-11-25",0.0011300000000000001],["monthly","2026-11",0.0011300000000000001]],"paces":[{"budget":"paced","log_price":-0.8999999999999999,"spend":1.0,"anchor":-4.0,"level":60.0,"requests":3,"usd_per_request":null,"traffic":""}]}');
INSERT INTO "outcome" VALUES(5,5,'{"outcome":{"decision_id":"decision-000004","served":"small","at":1795608014.0,"usage":{"input_tokens":104,"output_tokens":9,"cached_input_tokens":3,"cache_write_tokens":2,"reasoning_tokens":1},"cost_usd":0.0011400000000000002,"latency_s":6.8,"ttft_s":0.2,"ok":true,"estimated":false,"from_cache":false,"attempts":[{"model":"large","duration_s":2.5,"cost_usd":0.001,"failure":"TimedOutError","problem":"timed out after 2.5 s (first_token)","probe":false,"hedge":false,"in_flight":null,"slowdown":1.0,"ttft_slowdown":1.0,"ttft_s":null},{"model":"small","duration_s":4.3,"cost_usd":0.0001,"failure":"","problem":"","probe":true,"hedge":false,"in_flight":null,"slowdown":1.0,"ttft_slowdown":1.0,"ttft_s":null}],"billed_usd":null},"charges":[["daily","2026-11-25",0.0011400000000000002],["monthly","2026-11",0.0011400000000000002]],"paces":[{"budget":"paced","log_price":0.10000000000000009,"spend":1.0,"anchor":-4.0,"level":60.0,"requests":4,"usd_per_request":null,"traffic":""}]}');
INSERT INTO "outcome" VALUES(6,6,'{"outcome":{"decision_id":"decision-000005","served":"small","at":1795608015.0,"usage":{"input_tokens":105,"output_tokens":10,"cached_input_tokens":3,"cache_write_tokens":2,"reasoning_tokens":1},"cost_usd":0.00115,"latency_s":7.8,"ttft_s":0.2,"ok":true,"estimated":false,"from_cache":false,"attempts":[{"model":"large","duration_s":2.5,"cost_usd":0.001,"failure":"TimedOutError","problem":"timed out after 2.5 s (first_token)","probe":false,"hedge":false,"in_flight":null,"slowdown":1.0,"ttft_slowdown":1.0,"ttft_s":null},{"model":"small","duration_s":5.3,"cost_usd":0.0001,"failure":"","problem":"","probe":true,"hedge":false,"in_flight":null,"slowdown":1.0,"ttft_slowdown":1.0,"ttft_s":null}],"billed_usd":null},"charges":[["daily","2026-11-25",0.00115],["monthly","2026-11",0.00115]],"paces":[{"budget":"paced","log_price":1.1,"spend":1.0,"anchor":-4.0,"level":60.0,"requests":5,"usd_per_request":null,"traffic":""}]}');
INSERT INTO "outcome" VALUES(7,7,'{"outcome":{"decision_id":"decision-000006","served":"small","at":1795608016.0,"usage":{"input_tokens":106,"output_tokens":11,"cached_input_tokens":3,"cache_write_tokens":2,"reasoning_tokens":1},"cost_usd":0.00116,"latency_s":8.8,"ttft_s":0.2,"ok":true,"estimated":false,"from_cache":false,"attempts":[{"model":"large","duration_s":2.5,"cost_usd":0.001,"failure":"TimedOutError","problem":"timed out after 2.5 s (first_token)","probe":false,"hedge":false,"in_flight":null,"slowdown":1.0,"ttft_slowdown":1.0,"ttft_s":null},{"model":"small","duration_s":6.3,"cost_usd":0.0001,"failure":"","problem":"","probe":true,"hedge":false,"in_flight":null,"slowdown":1.0,"ttft_slowdown":1.0,"ttft_s":null}],"billed_usd":null},"charges":[["daily","2026-11-25",0.00116],["monthly","2026-11",0.00116]],"paces":[{"budget":"paced","log_price":2.1,"spend":1.0,"anchor":-4.0,"level":60.0,"requests":6,"usd_per_request":null,"traffic":""}]}');
CREATE TABLE pace (
    budget TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    pace TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "pace" VALUES('paced',7,'{"budget":"paced","log_price":2.1,"spend":1.0,"anchor":-4.0,"level":60.0,"requests":6,"usd_per_request":null,"traffic":""}');
CREATE TABLE retired_evidence (
    edge INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    signal TEXT NOT NULL,
    encoder_version TEXT NOT NULL,
    sums BLOB NOT NULL,
    UNIQUE (task, model, signal, encoder_version)
);
INSERT INTO "retired_evidence" VALUES(1,'qa','large','log_latency','v1',X'000000000000000040D619BE70BC9DBF20EF8AE1EE3EA03F284048315A7BE53F592FE030B132E63F002A4F856E8D953F8A713DA210AB75BFAF2187314097D0BFCFAC6505ED96D1BFB02292EC6EA4D7BF74BD34247174C5BF8D053A5FB519C83F8C053A5FB519C83F3F82148CBABFD73F68EC4675DB39CB3F0000000000000000E04DE665353F9BBFD4935F7195C59D3F7240306C01AFE33FA0FAD286FF56E43F00000000000000000000000000000000');
INSERT INTO "retired_evidence" VALUES(2,'qa','small','log_tokens','v1',X'000000000000000040D619BE70BC9DBF20EF8AE1EE3EA03F284048315A7BE53F592FE030B132E63F002A4F856E8D953F8A713DA210AB75BFAF2187314097D0BFCFAC6505ED96D1BFB02292EC6EA4D7BF74BD34247174C5BF8D053A5FB519C83F8C053A5FB519C83F3F82148CBABFD73F68EC4675DB39CB3F6C27C22A4967DBBF886D9B959A6DB93F28BB90ABE307C23FBAC6D6F28A47F13FDA2E07531D6BF03F0000000000000000C82D9856A25FFABF');
INSERT INTO "retired_evidence" VALUES(3,'qa','small','log_latency','v1',X'000000000000000040D619BE70BC9DBF20EF8AE1EE3EA03F284048315A7BE53F592FE030B132E63F002A4F856E8D953F8A713DA210AB75BFAF2187314097D0BFCFAC6505ED96D1BFB02292EC6EA4D7BF74BD34247174C5BF8D053A5FB519C83F8C053A5FB519C83F3F82148CBABFD73F68EC4675DB39CB3FD4A5D416D9F9FEBF6EE4F1331269E63FD3F5CE4EAB8BCB3F0877C59B31BDE7BF8EFB77FFFA44F0BF0000000000000000AC79C51FA7C3DDBF');
INSERT INTO "retired_evidence" VALUES(4,'qa','small','quality','v1',X'000000000000000040D619BE70BC9DBF20EF8AE1EE3EA03F284048315A7BE53F592FE030B132E63F002A4F856E8D953F8A713DA210AB75BFAF2187314097D0BFCFAC6505ED96D1BFB02292EC6EA4D7BF74BD34247174C5BF8D053A5FB519C83F8C053A5FB519C83F3F82148CBABFD73F68EC4675DB39CB3F343333333333D3BF8435D5ECF218BA3F7D982C0DF676B23FF29C0BE3A7E383BF9BABF82FB826B5BF0000000000000000ED51B81E85EBC1BF');
INSERT INTO "retired_evidence" VALUES(5,'code','large','log_latency','v1',X'000000000000D03FE0A3FAA8D2B4BBBFAA82E361DCBCEA3F3863EAD8E51CEE3F2FAFBC85A335C73F941FFA207F52A73F04477BEB2782D3BFA9553601E02DD6BF7911282987D5B1BFB738DA00D1F4D23F8F76D4E80D13E13FCF935E4FF2F1D13F1202491A3746DD3FD8ECD7D4991EA4BFF26A9ABAAAA9D4BF78E0E0F04052CD3FCC58287F1663B9BFA3236EF0E17FE83FBC4D08769797EB3F702236BE4444C53F000000000000D03FF0E1ED21E9DDCA3F');
INSERT INTO "retired_evidence" VALUES(6,'code','small','log_tokens','v1',X'000000000000D03FE0A3FAA8D2B4BBBFAA82E361DCBCEA3F3863EAD8E51CEE3F2FAFBC85A335C73F941FFA207F52A73F04477BEB2782D3BFA9553601E02DD6BF7911282987D5B1BFB738DA00D1F4D23F8F76D4E80D13E13FCF935E4FF2F1D13F1202491A3746DD3FD8ECD7D4991EA4BFF26A9ABAAAA9D4BFE8BD38F1B7C8CF3FE849BBBDDA0BC0BF5951570D33C0F93F2E96ACE7586BFC3FD1F30F314CD6D33F000000000000D03F00F81C05D76C553F');
INSERT INTO "retired_evidence" VALUES(7,'code','small','log_latency','v1',X'000000000000D03FE0A3FAA8D2B4BBBFAA82E361DCBCEA3F3863EAD8E51CEE3F2FAFBC85A335C73F941FFA207F52A73F04477BEB2782D3BFA9553601E02DD6BF7911282987D5B1BFB738DA00D1F4D23F8F76D4E80D13E13FCF935E4FF2F1D13F1202491A3746DD3FD8ECD7D4991EA4BFF26A9ABAAAA9D4BF9EA51897A698E0BF47F1B423FF19C63FF24EC89588BEE03F0CAC938C96AEE03F56D478CB8984A43F000000000000D03F533EBB4C3200F0BF');
INSERT INTO "retired_evidence" VALUES(8,'code','small','quality','v1',X'000000000000D03FE0A3FAA8D2B4BBBFAA82E361DCBCEA3F3863EAD8E51CEE3F2FAFBC85A335C73F941FFA207F52A73F04477BEB2782D3BFA9553601E02DD6BF7911282987D5B1BFB738DA00D1F4D23F8F76D4E80D13E13FCF935E4FF2F1D13F1202491A3746DD3FD8ECD7D4991EA4BFF26A9ABAAAA9D4BF000000000000C0BFD34B6B8A53CBA43F7A8038B7EF10C63F938113D21777C43F001825F547E7383F000000000000D03FD8A3703D0AD7B3BF');
CREATE TABLE retired_pace (
    budget TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    pace TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "retired_pace" VALUES('paced',2,'{"budget":"paced","log_price":-2.9,"spend":1.0,"anchor":-4.0,"level":60.0,"requests":1,"usd_per_request":null,"traffic":""}');
CREATE TABLE retired_spent (
    budget TEXT NOT NULL,
    period TEXT NOT NULL,
    usd REAL NOT NULL,
    PRIMARY KEY (budget, period)
) WITHOUT ROWID;
INSERT INTO "retired_spent" VALUES('daily','2026-11-25',0.00221);
INSERT INTO "retired_spent" VALUES('monthly','2026-11',0.00221);
CREATE TABLE spent (
    budget TEXT NOT NULL,
    period TEXT NOT NULL,
    usd REAL NOT NULL,
    PRIMARY KEY (budget, period)
) WITHOUT ROWID;
INSERT INTO "spent" VALUES('daily','2026-11-25',0.00791);
INSERT INTO "spent" VALUES('monthly','2026-11',0.00791);
CREATE TABLE switches (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at REAL NOT NULL,
    configured TEXT NOT NULL
) WITHOUT ROWID
;
INSERT INTO "switches" VALUES('only','small',1795608000.0,'');
CREATE TABLE unsettled (
    decision INTEGER PRIMARY KEY REFERENCES decision (seq)
);
PRAGMA user_version = 4;
COMMIT;
