import random, json
from concurrent.futures import ThreadPoolExecutor
import pytest
from sqlalchemy import select, func
from service import derivation
from service.tables import *
from tests.service.posting import *
from tests.service.acting import *

@pytest.mark.parametrize("seed", range(20,22))
def test_stress(running, client, seed):
    who = river(running, client)
    for gte, ref in ((3,"a"),(6,"b")):
        posted(who.post(f"{ROOT}/achievements", {"ref": ref,"name":"A","description":"d","achievement_type":"Badge","criteria":{"narrative":"n","rule":{"rule":"count","gte":gte}},"award":"automatic","publish":True}))
    posted(who.post(f"{ROOT}/achievements", {"ref": "c","name":"A","description":"d","achievement_type":"Badge","criteria":{"narrative":"n","rule":{"rule":"rubric","rubric":"feedback","criteria":["specific"],"min_level":2,"raters":2}},"award":"automatic","publish":True}))
    members = ["ana","ben","cleo"]+[f"x{i}" for i in range(6)]
    bad=[]; ids=[]; works=[]
    def work(n):
        r = random.Random(seed*1000+n)
        for _ in range(40):
            k = r.random()
            try:
                if k<.3:
                    a = who.post(f"{ROOT}/contributions", REVIEW|{"member": r.choice(members), "peer": r.choice(members), "ref": f"c{r.randrange(200)}"})
                    if a.status_code in (201,202): ids.append(a.json()["id"]); works.append(a.json()["id"])
                elif k<.5:
                    about = {"contribution": r.choice(works)} if works and r.random()<.7 else {"member": r.choice(members)}
                    a = who.post(f"{ROOT}/evaluations", RUBRIC|{"about":about,"evaluator":r.choice(members)})
                    if a.status_code in (201,202): ids.append(a.json()["id"])
                elif k<.6 and ids:
                    a = who.post(f"{ROOT}/records/{r.choice(ids)}/void", {"reason":"x"})
                elif k<.75:
                    m = r.choice(members)
                    a = who.put(f"{ROOT}/members/{m}", {"email": f"{m if r.random()<.9 else 'ana'}@example.org"})
                elif k<.9:
                    body=[REVIEW|{"member": r.choice(members), "ref": f"c{r.randrange(200)}"} for _ in range(20)]
                    a = who.ask("POST", f"{ROOT}/contributions", content=ndjson(body), headers={"Content-Type":"application/x-ndjson"})
                else:
                    body=[{"ref": r.choice(members)} for _ in range(5)]
                    a = who.ask("POST", f"{ROOT}/members", content=ndjson(body), headers={"Content-Type":"application/x-ndjson"})
                if a.status_code>=500: bad.append((k,a.status_code,a.text))
            except Exception as e:
                bad.append((k,__import__("traceback").format_exc()[-3500:]))
    with ThreadPoolExecutor(6) as pool: list(pool.map(work, range(6)))
    for m in members: who.put(f"{ROOT}/members/{m}", {})
    print(len(bad)); 
    for b in bad[:4]: print(b)
    assert not bad
    before = derived(running)
    with running.database.write() as session:
        network = session.scalars(select(Network)).one()
        held = session.scalars(select(Record).where(Record.held_for.is_not(None))).all()
        assert not held
        derivation.rebuild(session, network)
        print(dict(session.execute(select(Record.status, func.count()).group_by(Record.status)).all()), dict(session.execute(select(Award.state, func.count()).group_by(Award.state)).all()))
    assert derived(running) == before
    with running.database.read() as session:
        pos = sorted(session.scalars(select(Record.position)).all()); assert pos == list(range(1,len(pos)+1))
