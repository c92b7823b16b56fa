"""Judges posts by words that we listed ourselves: no weights, for tests and as a yardstick."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.text import language_name, normalise, plain_words, primary, script
from models.verdict import Feeling, Question, Verdict

LANGUAGES = frozenset({"en", "de", "es", "fr"})
LOW, HIGH = 0.35, 0.65  # between them a complaint is too close to call
MOST_CHARACTERS = 4_000
CLAUSE = re.compile(r"[^\s.,;:!?…—()][^.,;:!?…—()\n]*")
REMEMBERED = 20_000
LEAST = 0.3  # a clause with less than that against it is no complaint

# A star at the end stands for any ending. A word that means something else in another of the
# four languages ("gift", "pain", "sale", "bad", "mal" as in Mal) is left out or is no loss there.
STRONGLY_NEGATIVE = """
abysmal angry appalling atrocious awful bullshit clueless crap crappy despicable despise*
disaster disastrous disgrace* disgust* dreadful enraged fraud* furious garbage gross hate hated
hates hating horrendous horrible horribly horrid horrific incompeten* inedible infuriat* joke
liar* livid lying nightmare outrag* pathetic pissed pouting rip-off ripoff rubbish scam scammed
scammer* scamming scum shameful shit shitty shocking steal stole stolen suck sucked sucks
terrible terribly thieves trash ughh* ugh unacceptable unsafe unusable useless vile vomit*
worst worthless wtf
abzocke abzock* beschiss* betrug betrogen betrüg* ekelhaft* enttäusch* frechheit furchtbar*
grauenhaft* katastroph* mies mieser miese mieses mist miserabel* müll saftladen sauerei scheiß*
scheiss* schrecklich* schrott unbrauchbar* unfähig* unverschämt* verarsch* widerlich* wütend
zumutung
asco asqueros* basura cabread* decepcion* desastre desastros* estafa* estafad* fatal fraude
harta harto horrible* horror indignante inaceptable ineptos inútil* ladrones lamentable
pésim* porquería robo timo vergonzos* vergüenza
affreux affreuse arnaque* catastroph* dégoût* déçu* décev* déplorable* escroc* exécrable
honteux honteuse honte horripil* inacceptable* inadmissible* incompétent* insupportable
lamentabl* médiocre* merde merdique minable* nul nulle nuls nulles nullissime pitoyabl*
scandaleu* voleur* épouvantable*
"""
MILDLY_NEGATIVE = """
abandon* annoy* avoid blame bland bored boring breaks bricked broke broken bug buggy bugs
cancelled canceled charged clown cold complain* confus* crash* crying damaged dead defect*
delay* denied deteriorat* difficult dirty disappoint* disconnect* dishonest down downgrade
dropped error* expired fail* fake faulty filthy fix fuming freez* frustrat* glitch* greasy
hidden hopeless ignor* impolite impossible inconsisten* insult* issue issues lag laggy lags
late leak* leaking lied lies lost mediocre mess messed misleading missing mistake* moldy
mouldy nasty noisy outage* overcharged overpriced poor poorly problem* refus* regret* returning
rotten rude ruin* sad scratched shame shoddy slow slower slowly soggy stale stink* stinks stuck
stupid stopped struggl* sued suing terminated tired torn trouble* unanswered unavailable
unbearable unfair unfortunately unfriendly unhappy unhelpful unimpressed unprofessional
unreliable unresponsive unresolved upset vermin wait waited waiting wasted waste weak worse
wrong
abgebrochen abgestürzt absturz abstürz* arrogant* ärger* ärgerlich* beschädigt* defekt* dreck*
fehler* funktionsunfähig* genervt kalt kaputt* langsam* leider lahm mangelhaft* mahnung nervig*
nervt peinlich* reklam* schade schäbig schimmel* schlecht* schlimm* störung* stornier*
teuer teurer traurig unfreundlich* unhöflich* ungenießbar* unmöglich* unzufrieden*
unzuverlässig* verschimmelt verspätet* verspätung* vergessen verloren warte warten warteschleife
überteuert*
abusiv* aburrid* caducad* carísim* defectuos* demora* dañad* engañ* error errores esperando
espera fallo* falla fallando grosero* grosera* incompetent* incumpl* lenta lento lentitud
mala malas malo malos maleducad* molest* peor peores problema* queja* reclam* retras* rota
roto rotos sucia sucio tard* triste tristes
abîmé* agacé* attend* bloqué* cassé* cher chère colère défaillan* défectueu* désagréable*
désol* dommage* échec énerv* erreur* fâché* froid froide impoli* impossible* incapab* indisponible
inutil* lent lente lenteur* malheureusement mauvais* mécontent* panne* périmé* perdu perdue
pire pires problème* raté* réclam* retard* sale* trompé* trompeu* triste* vide
"""
STRONGLY_POSITIVE = """
adore* amaz* awesome beautiful beautifully best blown brilliant brilliantly delight* delicious
delish excellent* exceptional* exemplary fab fabulous fantastic* flawless* gem genius glorious
gorgeous heart-eyes impeccabl* incredible incredibly lifesaver love loved lovely loves loving
magnificent marvelous marvellous masterpiece obsessed outstanding* perfect perfectly perfection
phenomenal rocks sensational splendid stellar stunning sublime superb superbly terrific thrilled
top-notch unbeatable unmatched wonderful* wow yummy
ausgezeichnet* begeister* beste bester bestes fabelhaft* fantastisch* großartig*
grossartig* hammer hervorragend* herrlich* klasse köstlich* lecker* liebe perfekt* spitze
spitzenmäßig* super toll tolle toller tolles traumhaft* vorbildlich* wunderbar* wunderschön*
deliciosa delicioso encanta encantad* espectacular* estupend* excelent* fantástic* fenomenal
genial* increíble* inmejorable* maravill* perfecta perfecto riquísim* sobresaliente
adoré bravo délicieux délicieuse épatant* excellente* exceptionnel* extraordinaire* formidable*
géniale géniaux impeccable* incroyable* magnifique* meilleur* merveill* parfait* remarquabl*
sublime* superbe*
"""
MILDLY_POSITIVE = """
accommodating affordable appreciat* attentive clean comfortable comfy congrat* convenient cool
courteous cozy cosy easy efficient* effortless* enjoy* excited fair fast favorite favourite
flavorful fresh friendly fun generous glad good grateful great happier happily happy heart
helped helpful honest impressed impressive improved intuitive kind kudos neat nice nicely
patient pleasant pleased pleasure polite pretty professional prompt promptly proud quick quickly
recommend* refreshing reliable resolved respectful responsive safe satisf* smile smiling smooth
smoothly solid solved spotless stylish sweet tasty thank thankful thanks thankyou thx trustworthy
useful warm welcoming well-made wins winner worth yay
angenehm* aufmerksam* bequem* danke dankbar empfehl* empfehlenswert* erfreulich* ehrlich*
freundlich* froh glücklich* gut gute guten guter gutes hilfreich* hilfsbereit* höflich*
kompetent* kulant* liebevoll* nett* praktisch* preiswert* prima problemlos* pünktlich* reibungslos*
sauber* schnell* schön* sympathisch* unkompliziert* vielen zufrieden* zuverlässig*
agradable* agradec* amable* atent* bien bonit* buena buenas bueno buenos cómod* contenta contento
eficaz eficiente* eficaces fiable* fresc* gracias gusta gustó limpia limpio mejor mejores
puntual* rápid* recomend* recomiendo resuelto rica rico satisfech* simpátic*
accueillant* agréable* aimable* aime bon bonne bons bonnes chaleureu* confortable* content
contente efficace* gentil* heureux heureuse merci pratique* propre* rapide* rapidement
ravi ravie recommande* satisfait* serviable* souriant* sympa* sympathique*
"""
DENYING = """
no not never n't cant can't cannot dont don't doesnt doesn't didnt didn't isnt isn't wasnt
wasn't wont won't wouldnt wouldn't aint ain't arent aren't werent weren't hasnt hasn't havent
haven't couldn't shouldn't without hardly barely nothing neither nor zero lack lacks
nicht kein keine keinen keiner keinem nie niemals ohne weder nichts
nunca jamás sin ni tampoco nada ningún ninguna
pas jamais sans aucun aucune ni
"""
STRESSING = """
very really so extremely absolutely totally completely utterly incredibly insanely truly
super ridiculously always such again
sehr echt absolut total völlig extrem wirklich richtig immer
muy tan realmente totalmente absolutamente demasiado siempre
très vraiment trop tellement absolument totalement complètement toujours
"""
TURNS = frozenset({"but", "however", "although", "aber", "doch", "pero", "mais"})

# What complaints say without a word of feeling. The patterns see words in lower case.
COMPLAINTS = re.compile(
    r"""\b(?:
      still\ (?:no|not|waiting|haven't|hasn't|doesn't|isn't|nothing)
    | (?:never|not|didn't|hasn't|haven't)\ (?:yet\ )?(?:arrived?|came|come|delivered|received?|showed|
        shipped|replied|responded|answered|refunded|called|turned\ up|got\ (?:a\ |an\ |my\ |any\ )?
        (?:reply|answer|refund|response|order|money))
    | no\ (?:reply|response|answer|refund|show|one\ (?:answers|answered|replies|replied|responds|
        responded|helps|helped|cares|picks)|sign\ of|explanation|apology|help)
    | nobody\ (?:answers|answered|replies|replied|responds|responded|helps|helped|cares|picks|knows)
    | (?:want|need|demand|give\ me|get|owe\ me)\ (?:my\ |a\ |the\ |me\ )?(?:full\ )?(?:refund|money\ back)
    | (?:my|a|the|no|full)\ refund | refund\ (?:me|please|now) | money\ back
    | waiting\ (?:since|for\ (?:over|more|days|weeks|months|hours|\d+)) | waited\ (?:over|\d+|for)
    | on\ hold\ (?:for|since) | (?:days|weeks|months|hours)\ late
    | (?:doesn't|does\ not|don't|didn't|won't|not|stopped|never|isn't|quit)\ (?:even\ )?work(?:ing|s|ed)?
    | (?:never|not|won't\ be)\ (?:buying|ordering|using|coming|going|flying|shopping|returning|eating)\b
    | never\ again | stay\ away | do(?:n't|\ not)\ (?:buy|order|bother|waste|go|trust|recommend|use)
    | waste\ of | rip(?:ped|s)?\ (?:me\ |us\ )?off | charged\ (?:me\ )?(?:twice|double|again|for)
    | hung\ up\ on | fell\ apart | fed\ up | let\ (?:me|us)\ down | how\ hard\ (?:is|can)
    | (?:cancel|cancelled|cancelling|canceling)\ my | last\ time\ i | thumbs\ down | middle\ finger
    | one\ star | (?:zero|0|1)\ stars? | customer\ (?:dis)service\ is\ a
    | immer\ noch\ (?:nicht|kein\w*) | noch\ immer\ (?:nicht|kein\w*) | nie\ (?:wieder|angekommen)
    | nicht\ (?:angekommen|geliefert|erreichbar|funktioniert) | funktioniert\ \w*\ ?nicht
    | geht\ (?:schon\ wieder\ |immer\ noch\ )?nicht | geld\ zurück | warte\ (?:seit|auf) | seit\ (?:\w+\ )?(?:tagen|wochen|monaten|stunden)
    | keine?\ (?:antwort|reaktion|rückmeldung|hilfe) | finger\ weg | niemand\ (?:antwortet|meldet|hilft|geht)
    | nunca\ (?:más|llegó|llega|contestan|responden) | no\ (?:funciona|llegó|ha\ llegado|contestan|responden|
        responde|compren|recomiendo|sirve|me\ han) | sigo\ esperando | todavía\ no | aún\ no
    | devu[eé]lv\w+\ (?:mi|el)\ dinero | reembolso | nadie\ (?:responde|contesta|ayuda)
    | jamais\ (?:reçu|arrivé\w*|plus|livré\w*|répondu) | toujours\ (?:pas|aucun\w*|rien)
    | (?:ne\ )?(?:marche|fonctionne)\ (?:\w+\ )?pas | pas\ (?:reçu|livré\w*|de\ réponse|arrivé\w*) | remboursement
    | remboursez | aucune\ (?:réponse|aide|nouvelle) | personne\ ne\ (?:répond|aide) | à\ fuir | plus\ jamais
    )""",
    re.VERBOSE,
)
TOKEN = re.compile(r"\w+(?:['’-]\w+)*|!")
REACH = 3  # how many words a negation looks ahead


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much a text holds of either feeling, in strong words."""

    negative: float
    positive: float


class Lexicon:
    """A classifier that weighs listed words: quick, the same everywhere, and not very clever."""

    @property
    def name(self) -> str:
        """The model and its version."""
        return "lexicon 1"

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        """Say for each question, in order, what the author feels and whether they complain."""
        return [self.verdict(question) for question in questions]

    def verdict(self, question: Question) -> Verdict:
        """Judge one text."""
        text = normalise(question.text[:MOST_CHARACTERS])
        tongue = spoken(question)
        found = evidence(text)
        lean = found.negative - found.positive
        complaint = 1 / (1 + math.exp(1.3 - 2.2 * lean))
        confidence = 1 / (1 + math.exp(-2 * abs(lean)))
        why = ""
        if not text:
            complaint, confidence, why = 0.5, 0.0, "there is no text to judge"
        elif tongue is not None and tongue not in LANGUAGES:
            complaint = LOW + (HIGH - LOW) * complaint
            confidence *= HIGH - LOW
            why = f"written in {language_name(tongue)}, of which no words are listed"
        elif LOW <= complaint <= HIGH:
            why = "too close to call"
        return Verdict(
            complaint=complaint,
            feeling=feeling(lean),
            confidence=confidence,
            unsure=bool(why),
            model=self.name,
            language=tongue,
            why=why,
        )


def spoken(question: Question) -> str | None:
    """The language by what the place told, or by letters: no detector is opened for this."""
    by_letters = script(plain_words(question.text))
    return primary(question.language) or (by_letters.code if by_letters else None)


def evidence(text: str) -> Evidence:
    """Weigh the words of a normalised text."""
    text = text.casefold().replace("’", "'")
    patterns = len(COMPLAINTS.findall(text))
    negative, positive = min(patterns, 2) * 1.0, 0.0
    denied, stressed, shouts = 0, 1.0, 0
    for word in TOKEN.findall(text):
        if word == "!":
            shouts += 1
        elif word in NEGATIONS:
            denied = REACH
            continue
        elif word in INTENSIFIERS:
            stressed = 1.5
            continue
        elif word in TURNS:
            # What comes after "but" is what the author means.
            negative, positive = negative * 0.4, positive * 0.4
            denied = 0
        elif weight := weighed(word) * stressed:
            if denied:
                weight = -weight / 2 if weight < 0 else -weight
            if weight < 0:
                negative -= weight
            else:
                positive += weight
        stressed, denied = 1.0, max(denied - 1, 0)
    louder = 1 + 0.1 * min(shouts, 3)
    return Evidence(negative * louder, positive * louder)


def heaviest(text: str) -> tuple[int, int] | None:
    """Where in a text the clause stands that complains most, from its start to its end.

    What was found is remembered, for lists are shown again and again; the texts are not: a
    post that is deleted leaves nothing here.
    """
    known = hash(text)
    if known in _FOUND:
        return _FOUND[known]
    if len(_FOUND) >= REMEMBERED:
        _FOUND.clear()
    best, place = LEAST, None
    for clause in CLAUSE.finditer(text[:MOST_CHARACTERS]):
        found = evidence(clause[0])
        if (lean := found.negative - found.positive) > best:
            best, place = lean, (clause.start(), clause.end())
    _FOUND[known] = place
    return place


def feeling(lean: float) -> Feeling:
    """Name the side on which the evidence lies."""
    if abs(lean) < 0.3:
        return Feeling.NEUTRAL
    return Feeling.NEGATIVE if lean > 0 else Feeling.POSITIVE


def weighed(word: str) -> float:
    """What a word weighs: as listed, or as the longest listed beginning."""
    if word in WORDS:
        return WORDS[word]
    for end in range(min(len(word), LONGEST), SHORTEST - 1, -1):
        if word[:end] in BEGINNINGS:
            return BEGINNINGS[word[:end]]
    return 0.0


def listed() -> dict[str, float]:
    """All words with what they weigh."""
    return {
        word: weight
        for words, weight in (
            (MILDLY_POSITIVE, 0.6),
            (MILDLY_NEGATIVE, -0.6),
            (STRONGLY_POSITIVE, 1.0),
            (STRONGLY_NEGATIVE, -1.0),
        )
        for word in words.split()
    }


_FOUND: dict[int, tuple[int, int] | None] = {}
NEGATIONS = frozenset(DENYING.split())
INTENSIFIERS = frozenset(STRESSING.split())
WORDS = {word: weight for word, weight in listed().items() if not word.endswith("*")}
BEGINNINGS = {word[:-1]: weight for word, weight in listed().items() if word.endswith("*")}
SHORTEST, LONGEST = (size(map(len, BEGINNINGS)) for size in (min, max))
