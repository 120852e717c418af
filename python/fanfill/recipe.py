"""A recipe: ordered name patterns to rules, which turn a model into a plan.

It must not know of any one model or published scheme, nor of memory or files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass

from .fan import Fans
from .law import Law
from .model import Model, Parameter
from .plan.plan import Plan
from .stream import Seed


@dataclass(frozen=True)
class Match:
    """What a rule may look at: the parameter, the layer that its name gives, and the model around it.

    Attributes
    ----------
    parameter : Parameter
        The tensor that the pattern matched.
    layer : int or None
        The pattern's group ``layer``, counted from 0; None where the pattern has no such group.
    model : Model
        The model, whose other tensors a rule may look up.
    part : int
        Which of the parameter's parts the law is for; 0 where it has none.
    """

    parameter: Parameter
    layer: int | None
    model: Model
    part: int = 0

    @property
    def fans(self) -> Fans:
        """The fans of the part; an embedding's fan_in is its width."""
        return self.parameter.fans[self.part]

    @property
    def depth(self) -> int:
        """Number of layers of the model."""
        return self.model.depth

    @property
    def width(self) -> int:
        """Width of the model's residual path; a ValueError if the model doesn't say it."""
        if self.model.width is None:
            raise ValueError(
                f"the scheme divides by the width of the residual path; give Model {self.model.name!r} width="
            )
        return self.model.width

    def sibling(self, name: str) -> Parameter | None:
        """Return the tensor called `name` in the same module, such as a bias's "weight", or None."""
        module, _, _ = self.parameter.name.rpartition(".")
        return self.model.by_any_name.get(f"{module}.{name}" if module else name)


Rule = Law | Callable[[Match], Law]


@dataclass(frozen=True)
class Recipe:
    r"""Ordered name patterns to rules.

    Parameters
    ----------
    name : str
        The name on the command line.
    rules : iterable of (str, law or callable)
        Regular expressions that must match a whole name; the first that does decides. A rule is a law, or a
        callable from `Match` to a law, asked once for each part of a fused tensor. A group named ``layer``
        hands the rule the layer's index.
    citation : str
        Author, year, title and place of the scheme.

    Raises
    ------
    TypeError, ValueError
        If a pattern isn't a regular expression, or a rule neither a law nor callable.

    Examples
    --------
    >>> import fanfill as ff
    >>> from fanfill.model import Model, Parameter
    >>> recipe = ff.Recipe("flat", [(r".*\.bias", ff.Constant(0.0)), (r".*\.weight", ff.Normal(0.0, 0.02))])
    >>> model = Model("tiny", [Parameter("fc.weight", (8, 4)), Parameter("fc.bias", (8,))], depth=1)
    >>> recipe.plan(model, seed=0)["fc.bias"].law
    Constant(value=0.0)
    """

    name: str
    rules: tuple[tuple[str, Rule], ...]
    _: KW_ONLY
    citation: str = ""

    def __post_init__(self) -> None:
        for member in ("name", "citation"):
            value: object = getattr(self, member)
            if not isinstance(value, str):
                raise TypeError(f"{member} of a recipe must be a str, got {value!r}")
        object.__setattr__(self, "rules", tuple(_checked_rules(self.name, self.rules)))

    def _found(self, name: str) -> tuple[Rule, int | None] | None:
        """Return the first rule whose pattern matches, and the layer that the name gives."""
        for pattern, rule in self.rules:
            found = re.fullmatch(pattern, name)
            if found is not None:
                return rule, self._layer(found, name)
        return None

    def _layer(self, found: re.Match[str], name: str) -> int | None:
        layer = found.groupdict().get("layer")
        if layer is not None and not layer.isdecimal():
            raise ValueError(
                f"the group layer of recipe {self.name!r} found {layer!r} in {name!r}, which is no number; "
                r"write it as (?P<layer>\d+)"
            )
        return None if layer is None else int(layer)

    def _laws(self, parameter: Parameter, model: Model, rule: Rule, layer: int | None) -> list[Law]:
        """Return the law of each part."""
        if isinstance(rule, Law):
            return [rule]
        count = len(parameter.fans) if parameter.parts != () else 1
        try:
            laws = [rule(Match(parameter, layer, model, part)) for part in range(count)]
        except ZeroDivisionError:
            if 0 not in parameter.shape:
                raise  # of the rule's own making
            raise ValueError(
                f"recipe {self.name!r} divides by a fan of {parameter.name!r}, which is 0 in the shape "
                f"{parameter.shape}"
            ) from None
        for law in laws:
            if not isinstance(law, Law):
                raise TypeError(
                    f"the rule of recipe {self.name!r} for {parameter.name!r} must give a law, got {law!r}"
                )
        return laws

    def unmatched(self, model: Model) -> list[str]:
        """Return the names of the model's parameters that no pattern matches."""
        return [p.name for p in model.parameters if self._found(p.name) is None]

    def plan(
        self,
        model: Model,
        *,
        seed: Seed,
        dtype: str | None = None,
        only: Collection[str] | None = None,
    ) -> Plan:
        """Return the plan of a model under this recipe.

        Parameters
        ----------
        model : Model
            Its parameters give names, shapes and layouts; the rules see all of it.
        seed : int or numpy.random.SeedSequence
            The key of every stream.
        dtype : str, optional
            Element type of every parameter; default the model's published one.
        only : collection of str, optional
            Names of the parameters to plan; the rules still see all of the model. Default: every one.

        Raises
        ------
        KeyError
            If `only` holds a name that the model doesn't have; the message lists all such.
        TypeError
            If an argument is of the wrong type, or a rule gives no law.
        ValueError
            If no pattern matches some parameter; the message lists all such. Or if a law can't be drawn in
            the element type.
        """
        if not isinstance(model, Model):
            raise TypeError(f"model must be a fanfill Model, got {type(model).__name__}")
        planned = model.parameters if only is None else _named(model, only)
        found = [self._found(parameter.name) for parameter in planned]
        if None in found:
            unmatched = [each.name for each, own in zip(planned, found, strict=True) if own is None]
            raise ValueError(
                f"recipe {self.name!r} has no rule for {len(unmatched)} of the {len(planned)} "
                f"parameters of model {model.name!r}; choose another recipe or add patterns for: "
                f"{', '.join(unmatched)}"
            )
        specs = [
            parameter.spec(self._laws(parameter, model, *rule), model.dtype if dtype is None else dtype)
            for parameter, rule in zip(planned, found, strict=True)
            if rule is not None
        ]
        return Plan(specs, seed=seed, model=model.name, recipe=self.name)


def _named(model: Model, only: Collection[str]) -> tuple[Parameter, ...]:
    if isinstance(only, str) or not isinstance(only, Iterable):
        raise TypeError(f"only must be a collection of names, got {only!r}")
    names = set(only)
    unknown = sorted(name for name in names if name not in model.by_name)
    if unknown:
        raise KeyError(f"only names parameters that model {model.name!r} doesn't have: {unknown}")
    return tuple(each for each in model.parameters if each.name in names)


def _checked_rules(recipe: str, rules: Iterable[tuple[str, Rule]]) -> Iterable[tuple[str, Rule]]:
    if isinstance(rules, (str, Mapping)) or not isinstance(rules, Iterable):
        raise TypeError(f"rules of recipe {recipe!r} must be pairs (pattern, law or callable), got {rules!r}")
    for pair in rules:
        try:
            pattern, rule = pair
        except (TypeError, ValueError):
            raise TypeError(
                f"rules of recipe {recipe!r} must be pairs (pattern, law or callable), got {pair!r}"
            ) from None
        if not isinstance(pattern, str):
            raise TypeError(f"pattern of recipe {recipe!r} must be a str, got {pattern!r}")
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(
                f"pattern {pattern!r} of recipe {recipe!r} isn't a regular expression: {error}"
            ) from error
        if not isinstance(rule, Law) and not callable(rule):
            raise TypeError(
                f"rule of {pattern!r} in recipe {recipe!r} must be a law or a callable, got {rule!r}"
            )
        yield pattern, rule
