"""Tables of TeX commands: what they show, and which names are handled alike."""

from __future__ import annotations


def _parse_pairs(text: str) -> dict[str, str]:
    """Return a dictionary from "name symbol name symbol …"."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def name_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


GREEK = _parse_pairs("""
    alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta θ iota ι
    kappa κ lambda λ mu μ upmu μ nu ν xi ξ omicron ο pi π varpi π rho ρ varrho ρ sigma σ varsigma ς
    tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω
    Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
""")

SYMBOLS = GREEK | _parse_pairs("""
    times × cdot · div ÷ pm ± mp ∓ ast * star ⋆ circ ∘ bullet • oplus ⊕ ominus ⊖ otimes ⊗ odot ⊙
    cap ∩ cup ∪ bigcap ⋂ bigcup ⋃ setminus ∖ wedge ∧ land ∧ vee ∨ lor ∨ neg ¬ lnot ¬ sqcup ⊔ uplus ⊎
    leq ≤ le ≤ leqslant ≤ geq ≥ ge ≥ geqslant ≥ ll ≪ gg ≫ neq ≠ ne ≠ equiv ≡ sim ∼ simeq ≃
    approx ≈ cong ≅ propto ∝ asymp ≍ prec ≺ succ ≻ preceq ⪯ succeq ⪰ lesssim ≲ gtrsim ≳ doteq ≐
    lt < gt > coloneqq ≔ triangleq ≜ models ⊨ vdash ⊢ dashv ⊣ perp ⊥ bot ⊥ top ⊤ parallel ∥ mid |
    subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ subsetneq ⊊ in ∈ notin ∉ ni ∋ emptyset ∅ varnothing ∅
    forall ∀ exists ∃ nexists ∄ infty ∞ partial ∂ nabla ∇ hbar ℏ ell ℓ Re ℜ Im ℑ aleph ℵ wp ℘
    to → rightarrow → longrightarrow → hookrightarrow ↪ leftarrow ← gets ← longleftarrow ←
    leftrightarrow ↔ longleftrightarrow ↔ Rightarrow ⇒ Longrightarrow ⇒ implies ⇒ Leftarrow ⇐
    Leftrightarrow ⇔ iff ⇔ mapsto ↦ longmapsto ↦ uparrow ↑ downarrow ↓ Uparrow ⇑ Downarrow ⇓
    updownarrow ↕ nearrow ↗ searrow ↘ rightharpoonup ⇀ leadsto ⇝ rightsquigarrow ⇝ nrightarrow ↛
    rightleftharpoons ⇌ xrightarrow → sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ oint ∮ surd √
    langle ⟨ rangle ⟩ lceil ⌈ rceil ⌉ lfloor ⌊ rfloor ⌋ lvert | rvert | vert | lVert ‖ rVert ‖ Vert ‖
    lbrace { rbrace } lbrack [ rbrack ] backslash \\ prime ′ dagger † dag † ddagger ‡ ddag ‡
    ldots … dots … cdots ⋯ vdots ⋮ ddots ⋱ textellipsis … dotsc … dotsb …
    deg ° degree ° textdegree ° textcelsius °C angle ∠ triangle △ square □ Box □ diamond ⋄ lozenge ◊
    checkmark ✓ cmark ✓ xmark ✗ sharp ♯ flat ♭ natural ♮ therefore ∴ because ∵ aa å AA Å ae æ AE Æ
    oe œ OE Œ o ø O Ø l ł L Ł ss ß i ı j ȷ dh ð th þ S § P ¶ pounds £ euro € texteuro € copyright ©
    textcopyright © textregistered ® texttrademark ™ textendash – textemdash — textbackslash \\
    textasciitilde ∼ textasciicircum ^ textunderscore _ textbar | textless < textgreater >
    textquotedblleft “ textquotedblright ” textquoteleft ‘ textquoteright ’ textquotesingle '
    textmu μ textalpha α textbeta β textbullet • textperiodcentered · textdagger † textpm ±
    texttimes × textonehalf ½ blacksquare ■ qed ∎ Join ⋈ bowtie ⋈ hslash ℏ complement ∁
    LaTeX LaTeX TeX TeX textdollar $ And & colon : slash / lq ‘ rq ’
""")

# Letters written as commands: a space after one ends the command, not the word.
LETTER_COMMANDS = name_set("aa AA ae AE oe OE o O l L ss i j dh th")

# Named functions: upright words with space around them.
FUNCTION_NAMES = name_set(
    "log ln lg exp sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan min max sup inf lim"
    " limsup liminf arg argmin argmax det dim ker deg gcd hom Pr mod bmod sgn tr trace rank diag"
    " softmax sigmoid poly polylog not"
)

# Commands that only show their argument.
WRAPPERS = name_set(
    "text textbf textit texttt textsc textrm textsf textsl textmd textup textnormal emph underline"
    " uline mathrm mathbf mathit mathsf mathtt mathcal mathscr mathfrak mathnormal mathop mathbin"
    " mathrel mathord operatorname bm boldsymbol pmb mbox hbox fbox makebox ensuremath textquote"
    " enquote overline widehat widetilde overrightarrow underbar title section subsection paragraph"
    " substack smash uppercase lowercase MakeUppercase ul hl num sout overbrace underbrace boxed"
    " cancel centerline acs acrshort acrlong acrfull gls glspl Gls ac acp"
)

# The most frequent wrappers, as they are left when an API has removed the backslash.
WRAPPERS_WITHOUT_BACKSLASH = name_set(
    "text textbf textit texttt textsc textrm mathrm mathbf mathit mathsf mathcal mathbb mathfrak"
    " operatorname boldsymbol frac tfrac dfrac sqrt emph overline widehat widetilde hat bar tilde"
    " vec"
)

# Symbols left without their backslash in the same way; only names that are not English words.
SYMBOLS_WITHOUT_BACKSLASH = name_set(
    "propto rightarrow leftarrow leftrightarrow Rightarrow longrightarrow leq geq neq infty"
    " varepsilon varphi subseteq nabla otimes oplus"
)

# Dropped with their arguments: references into the document, and layout.
DROPPED_WITH_ARGUMENTS = name_set(
    "cite citep citet citeauthor citeyear citealt citealp Citet Citep parencite textcite autocite"
    " footcite onlinecite ref eqref autoref cref Cref pageref label nocite index begin end vspace"
    " hspace color pagestyle thispagestyle bibliography bibliographystyle footnotemark input include"
    " includegraphics setlength vskip hskip rule tag pagecolor fontsize selectfont"
)

# Dropped, without what follows them.
SWITCHES = name_set(
    "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr middle displaystyle textstyle"
    " scriptstyle limits nolimits bf it em sc rm tt sf sl bfseries itshape scshape ttfamily upshape"
    " mdseries rmfamily sffamily normalfont boldmath unboldmath tiny scriptsize footnotesize small"
    " normalsize large Large LARGE huge Huge noindent indent centering raggedright protect nobreak"
    " allowbreak relax xspace leavevmode maketitle newblock smallskip medskip bigskip hfill vfill"
    " null strut clearpage newpage mathstrut linebreak nonumber notag sloppy cal mit"
)

SPACES = name_set("quad qquad par newline item thinspace enspace space hline and")

# Combining characters, in text and in maths: \'e, \"{u}, \H{o} …
ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
    "b": "\u0331",
}

# Combining characters, in maths only.
MATH_ACCENTS = {
    "hat": "\u0302",
    "bar": "\u0304",
    "tilde": "\u0303",
    "dot": "\u0307",
    "ddot": "\u0308",
    "vec": "\u20d7",
    "check": "\u030c",
    "breve": "\u0306",
    "acute": "\u0301",
    "grave": "\u0300",
    "mathring": "\u030a",
}

DOUBLE_STRUCK = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))

SUPERSCRIPTS = dict(
    zip(
        "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθφχ",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ",
        strict=True,
    )
)
SUBSCRIPTS = dict(
    zip(
        "0123456789+-−=()aehijklmnoprstuvxβγρφχ",
        "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ",
        strict=True,
    )
)
# Characters that are raised already.
INHERENT_SUPERSCRIPTS = dict(
    zip("*∗⋆∘°′†‡⊤", ("*", "*", "*", "°", "°", "′", "†", "‡", "ᵀ"), strict=True)
)
